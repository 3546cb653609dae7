// The first screens: language and download.

import { el, notice, show } from "../dom";
import { type Programme, choose, isHere, programmes } from "../programmes";
import { NotRead } from "../reading/reader";
import * as release from "../release";
import { tried } from "../trial";
import { LANGUAGES, type Language, choose as chooseWords, ready, words } from "../words";

const LANGUAGE = "language";

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

/** The language that was chosen on this phone, or is chosen now. */
export async function chooseLanguage(again = false): Promise<void> {
  const before = localStorage.getItem(LANGUAGE) as Language | null;
  if (before && LANGUAGES.includes(before) && !again) return chooseWords(before);
  await Promise.all(LANGUAGES.map(ready));
  const picked = await new Promise<Language>((resolve) =>
    show(
      el("h1", {}, "Jicho"),
      el("p", {}, words("ask-language", {}, "en")),
      ...LANGUAGES.map((each) =>
        el("button", { lang: each, onclick: () => resolve(each) }, words(`language-${each}`, {}, each)),
      ),
    ),
  );
  localStorage.setItem(LANGUAGE, picked);
  await chooseWords(picked);
}

/** Brings the whole app onto this phone, after saying what that costs. Without https it stays a page. */
export async function install(): Promise<void> {
  if (!release.canKeep()) return notice(words("app-insecure"));
  await release.register();
  if (await release.inUse()) return;
  const found = await release.newest();
  await download(found, release.needed(found, []), "Jicho");
  notice(words("app-ready"));
}

/** Brings the models of one more programme onto this phone: whether it did, or the worker went back. */
export async function add(programme: Programme): Promise<boolean> {
  const found = await release.newest().catch(() => null);
  if (!found) return (notice(words("app-no-network")), false);
  const here = (await Promise.all(programmes().map(async ({ name }) => ((await isHere(name)) ? name : "")))).filter(Boolean);
  const wanted = [...here, programme.name];
  const added = await download(found, release.needed(found, wanted), words(programme.title), true);
  if (added) choose(wanted);
  return added;
}

function download(found: release.Release, groups: release.Group[], title: string, mayLeave = false): Promise<boolean> {
  return new Promise(async (resolve) => {
    const files = await release.missing(groups);
    const size = megabytes(files.reduce((sum, file) => sum + file.transfer, 0));
    const bar = el("progress", { max: 1, value: 0, hidden: true, "aria-label": words("app-download", { size }) });
    const state = el("p", { role: "status" });
    const start = el("button", { id: "download" }, words("app-download-start"));
    start.onclick = async () => {
      start.disabled = true;
      bar.hidden = false;
      try {
        await release.fetchAll(groups, (done, all) => {
          bar.value = all ? done / all : 1;
          state.textContent = words("app-downloading", { done: megabytes(done), size });
        });
        state.textContent = words("app-trying");
        await tried(groups);
        if (await release.use(found, groups)) return resolve(true);
        state.textContent = words("app-update");
      } catch (error) {
        if (!(error instanceof release.Stopped || error instanceof NotRead)) throw error;
        state.textContent = words(error instanceof NotRead ? "app-model-refused" : "app-download-stopped");
      }
      start.disabled = false;
    };
    show(
      el("h1", {}, title),
      el("p", { id: "size" }, words("app-download", { size })),
      start,
      bar,
      state,
      mayLeave && el("button", { class: "quiet", onclick: () => resolve(false) }, words("app-back")),
    );
  });
}
