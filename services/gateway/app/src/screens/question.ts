// A question that one photograph answers: what it shows, and what to do. Nothing of it is kept.

import { el, show } from "../dom";
import { type Programme, folder } from "../programmes";
import { NotRead, type Reader } from "../reading/reader";
import { tier } from "../tier";
import { words } from "../words";

/** Reads photographs until the worker leaves. */
export function question(reader: Reader, programme: Programme): Promise<void> {
  return new Promise((resolve) => {
    const answer = el("div", { id: "answer", role: "status", "aria-live": "polite" });
    const bar = el("progress", { max: 1, value: 0, hidden: true, "aria-label": words("app-reading") });
    const input = el("input", { id: "photo", type: "file", accept: "image/jpeg,image/png,image/webp", capture: "environment" });
    input.onchange = async () => {
      const file = input.files?.[0];
      if (!file) return;
      bar.hidden = false;
      input.disabled = true;
      answer.replaceChildren(el("p", {}, words("app-reading")));
      answer.replaceChildren(...(await said(reader, programme, file, (share) => (bar.value = share))));
      bar.hidden = true;
      input.disabled = false;
      input.value = "";
    };
    show(
      el("h1", {}, words(programme.title)),
      el("label", { class: "button file", for: "photo" }, words("app-question-photo"), input),
      bar,
      answer,
      el("button", { id: "close", class: "quiet", onclick: () => resolve() }, words("app-back")),
    );
  });
}

async function said(reader: Reader, programme: Programme, file: File, progress: (share: number) => void): Promise<HTMLElement[]> {
  try {
    const { reading } = await reader.read(folder(programme.name), await tier(), file, (_, share) => progress(share));
    const found = "found" in reading ? (reading.found ?? "") : "";
    return programme.says[found].map((id) => el("p", { class: "verdict" }, words(id)));
  } catch (error) {
    if (!(error instanceof NotRead)) throw error;
    return [el("p", { class: "problem" }, words(error.message === "model-failed" ? "app-model-failed" : error.message))];
  }
}
