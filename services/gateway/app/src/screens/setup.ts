// The first screens: language, download, PIN.

import { el, notice, show } from "../dom";
import * as release from "../release";
import { Vault, WrongPin } from "../vault";
import { LANGUAGES, type Language, choose, ready, words } from "../words";

const GROUPS = ["shell", "dr", ...LANGUAGES.map((each) => `audio-${each}`)];
const LANGUAGE = "language";
const SHORTEST_PIN = 6;

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

/** The language that was chosen on this phone, or is chosen now. */
export async function chooseLanguage(again = false): Promise<void> {
  const before = localStorage.getItem(LANGUAGE) as Language | null;
  if (before && LANGUAGES.includes(before) && !again) return choose(before);
  await Promise.all(LANGUAGES.map(ready));
  const chosen = await new Promise<Language>((resolve) =>
    show(
      el("h1", {}, "Jicho"),
      el("p", {}, words("ask-language", {}, "en")),
      ...LANGUAGES.map((each) =>
        el("button", { lang: each, onclick: () => resolve(each) }, words(`language-${each}`, {}, each)),
      ),
    ),
  );
  localStorage.setItem(LANGUAGE, chosen);
  await choose(chosen);
}

/** Brings the whole app onto this phone, after saying what that costs. Without https it stays a page. */
export async function install(): Promise<void> {
  if (!release.canKeep()) return notice(words("app-insecure"));
  await release.register();
  if (await release.inUse()) return;
  const found = await release.newest();
  const files = await release.missing(found, GROUPS);
  const size = megabytes(files.reduce((sum, file) => sum + file.transfer, 0));
  await new Promise<void>((resolve) => {
    const bar = el("progress", { max: 1, value: 0, hidden: true, "aria-label": words("app-download", { size }) });
    const state = el("p", { role: "status" });
    const start = el("button", { id: "download" }, words("app-download-start"));
    start.onclick = async () => {
      start.disabled = true;
      bar.hidden = false;
      try {
        await release.fetchAll(found, GROUPS, (done, all) => {
          bar.value = all ? done / all : 1;
          state.textContent = words("app-downloading", { done: megabytes(done), size });
        });
        await release.use(found, GROUPS);
        resolve();
      } catch (error) {
        if (!(error instanceof release.Stopped)) throw error;
        state.textContent = words("app-download-stopped");
        start.disabled = false;
      }
    };
    show(el("h1", {}, "Jicho"), el("p", { id: "size" }, words("app-download", { size })), start, bar, state);
  });
  notice(words("app-ready"));
}

/** The vault, opened by its PIN or begun with a new one. */
export async function unlock(): Promise<Vault> {
  const begun = await Vault.exists();
  return new Promise((resolve) => {
    const pin = el("input", { id: "pin", type: "password", inputmode: "numeric", autocomplete: "off", required: true });
    const problem = el("p", { class: "problem", role: "alert" });
    const form = el(
      "form",
      {},
      el("label", { for: "pin" }, words(begun ? "app-pin" : "app-pin-choose")),
      pin,
      problem,
      el("button", {}, words("app-next")),
    );
    form.onsubmit = async (event) => {
      event.preventDefault();
      problem.textContent = "";
      if (!begun && (pin.value.length < SHORTEST_PIN || !/^\d+$/.test(pin.value))) {
        problem.textContent = words("app-pin-short");
        return;
      }
      try {
        resolve(await Vault.open(pin.value));
      } catch (error) {
        if (!(error instanceof WrongPin)) throw error;
        problem.textContent = words("app-pin-wrong");
        pin.value = "";
        pin.focus();
      }
    };
    show(el("h1", {}, "Jicho"), form);
    pin.focus();
  });
}

/** Fetches a newer release when there is one and puts it into use when no screening is open: true when the page has to
 * start anew. */
export async function update(): Promise<boolean> {
  if (!release.canKeep() || !navigator.onLine) return false;
  try {
    const found = await release.newest();
    if (found.release === (await release.inUse())) return false;
    await release.fetchAll(found, GROUPS, () => {});
    if (await release.use(found, GROUPS)) return true;
    notice(words("app-update"));
  } catch (error) {
    if (!(error instanceof release.Stopped)) throw error;
  }
  return false;
}

