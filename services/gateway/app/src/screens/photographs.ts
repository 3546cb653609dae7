// One screening: a photograph of each eye, what was found in it, and what the patient hears.

import { EYES, type Eye, outcomeOfEye } from "../decision";
import { announce, el, focusOn, show } from "../dom";
import type { GradeReading } from "../reading/engine";
import { NotRead, type Reader } from "../reading/reader";
import { type Photograph, type Screening, findingsOf, newsOf, outcomeOf, patientMessage, save, verdict } from "../screening";
import { digest } from "../release";
import { site } from "../site";
import { player } from "../sound";
import { folder } from "../programmes";
import { tier } from "../tier";
import type { Vault } from "../vault";
import { ready, words } from "../words";
import { withdrawal } from "./withdrawal";

interface Here {
  vault: Vault;
  reader: Reader;
  programme: string;
  screening: Screening;
}

/** Shows a screening until the worker leaves it. */
export async function photographs(vault: Vault, reader: Reader, programme: string, screening: Screening): Promise<void> {
  await ready(screening.language);
  Object.assign(screening, await vault.getJson("screenings", screening.id), { onScreen: true }); // as another window left it
  await save(vault, screening);
  for (let next: Next = null; next !== "gone"; ) next = await once({ vault, reader, programme, screening }, next);
}

/** What comes after a screen: its like, from the eye on that was photographed, or another. */
type Next = Eye | "gone" | null;

function once(here: Here, read: Next): Promise<Next> {
  const { vault, screening } = here;
  return new Promise((resolve) => {
    const again = (eye: Next = null) => resolve(eye);
    const outcome = outcomeOf(screening);
    const leaving = async () => {
      screening.onScreen = false;
      await save(vault, screening);
      resolve("gone");
    };
    const oneEye = async () => {
      screening.oneEye = true;
      await save(vault, screening);
      again();
    };
    const mayBeOneEye = !outcome && !screening.oneEye && screening.photographs.length > 0;
    show(
      el("h1", {}, screening.code || `#${screening.number}`),
      ...EYES.map((eye) => card(here, eye, again)),
      outcome && told(screening),
      fromClinic(screening),
      mayBeOneEye && el("button", { class: "quiet", id: "one-eye", onclick: oneEye }, words("app-one-eye")),
      el("button", { class: "quiet", id: "withdraw", onclick: async () => resolve((await withdrawal(vault, screening)) ? "gone" : null) }, words("menu-withdraw")),
      el("button", { id: "close", onclick: leaving }, words(outcome ? "app-done" : "app-back")),
    );
    const section = document.querySelector(`[data-eye=${read}]`);
    if (section) {
      focusOn(section.querySelector("h2")!);
      announce([...document.querySelectorAll(`[data-eye=${read}] .verdict, #told p`)].map((each) => each.textContent).join(" "));
    }
  });
}

function card(here: Here, eye: Eye, again: (eye: Eye) => void): HTMLElement {
  const { vault, screening } = here;
  const taken = screening.photographs.filter((each) => each.eye === eye);
  const last = taken.at(-1);
  const wanted = outcomeOf(screening) !== "rescreen" && ["retake", null].includes(outcomeOfEye(findingsOf(screening)[eye]));
  const state = el("p", { role: "status", "aria-live": "polite" });
  const bar = el("progress", { max: 1, value: 0, hidden: true, "aria-label": words("app-reading") });
  const input = el("input", { id: `photo-${eye}`, type: "file", accept: "image/jpeg,image/png,image/webp", capture: "environment" });
  const label = el("label", { class: "button file", for: input.id }, words("app-photograph", { eye: `eye-${eye}` }), input);
  input.onchange = async () => {
    const file = input.files?.[0];
    if (!file) return;
    label.hidden = true;
    bar.hidden = false;
    state.textContent = words("app-reading");
    try {
      await add(here, eye, file, (share) => (bar.value = share));
      again(eye);
    } catch (error) {
      if (!(error instanceof NotRead)) throw error;
      state.textContent = words(error.message === "model-failed" ? "app-model-failed" : error.message);
      label.hidden = false;
      bar.hidden = true;
      input.value = "";
    }
  };
  const section = el(
    "section",
    { class: "eye", "data-eye": eye },
    el("h2", {}, words(`app-eye-${eye}`)),
    last && el("p", { class: `verdict ${outcomeOfEye(findingsOf(screening)[eye])}` }, verdict(screening, last)),
    wanted && label,
    bar,
    state,
  );
  if (last) void picture(vault, last, eye).then((shown) => shown && section.insertBefore(shown, section.children[1]));
  return section;
}

/** Keeps a photograph and what was found in it, both or neither. */
async function add({ vault, reader, programme, screening }: Here, eye: Eye, file: File, progress: (share: number) => void): Promise<void> {
  const found = await reader.read(folder(programme), await tier(), file, (_, share) => progress(share));
  const reading = found.reading as GradeReading;
  const sha256 = await digest(found.photograph);
  const earlier = screening.photographs.find((each) => each.sha256 === sha256);
  // As at the clinic: the same picture again is neither a second attempt nor the other eye.
  if (earlier) throw new NotRead(earlier.eye === eye ? "photo-repeated" : "photo-of-other-eye");
  const photograph: Photograph = { id: crypto.randomUUID(), eye, sha256, takenAt: Date.now(), reading, handedOver: false };
  await vault.put("photographs", photograph.id, new Uint8Array(found.photograph));
  screening.photographs.push(photograph);
  await save(vault, screening);
}

async function picture(vault: Vault, photograph: Photograph, eye: Eye): Promise<HTMLImageElement | null> {
  const content = await vault.get("photographs", photograph.id);
  if (!content) return null;
  const url = URL.createObjectURL(new Blob([content]));
  return el("img", { src: url, alt: words(`app-eye-${eye}`), onload: () => URL.revokeObjectURL(url) });
}

/** What the clinic's server, or a specialist, found since. */
function fromClinic(screening: Screening): HTMLElement | null {
  const clinic = newsOf(screening);
  if (!clinic) return null;
  const said = clinic.says.map(([id, parameters]) => el("p", {}, words(id, parameters)));
  return el("section", { class: "eye", id: "from-clinic" }, el("h2", {}, words("app-from-clinic")), ...said);
}

/** What the patient is told, in her language, to read or to hear. */
function told(screening: Screening): HTMLElement {
  const message = patientMessage(screening);
  const text = words(message, { ...site() }, screening.language);
  return el("section", { class: "eye", id: "told", lang: screening.language }, el("p", {}, text), player(screening.language, message));
}
