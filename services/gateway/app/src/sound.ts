import { el } from "./dom";
import { type Language, words } from "./words";

/** A button that reads a fixed sentence aloud, where its recording is on this phone or can be had. */
export function player(language: Language, message: string): HTMLElement {
  const audio = new Audio(`/app/audio/${language}/${message}`);
  audio.preload = "auto";
  const button = el("button", { class: "quiet", id: "listen", hidden: true, onclick: () => void audio.play() }, words("app-listen"));
  audio.addEventListener("canplay", () => (button.hidden = false));
  audio.addEventListener("play", () => (button.dataset.playing = "yes"));
  return button;
}
