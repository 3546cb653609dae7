// The PIN by which what is kept here is opened.

import { el, notice, show } from "../dom";
import { Vault, WrongPin } from "../vault";
import { words } from "../words";

const SHORTEST = 6;

const field = (id: string): HTMLInputElement =>
  el("input", { id, type: "password", inputmode: "numeric", autocomplete: "off", required: true });

const isLong = (pin: string): boolean => pin.length >= SHORTEST && /^\d+$/.test(pin);

/** The vault, opened by its PIN or begun with a new one. */
export async function unlock(): Promise<Vault> {
  const begun = await Vault.exists();
  return new Promise((resolve) => {
    const pin = field("pin");
    const problem = el("p", { class: "problem", role: "alert" });
    const label = el("label", { for: "pin" }, words(begun ? "app-pin" : "app-pin-choose"));
    const form = el("form", {}, label, pin, problem, el("button", {}, words("app-next")));
    form.onsubmit = async (event) => {
      event.preventDefault();
      problem.textContent = "";
      if (!begun && !isLong(pin.value)) {
        problem.textContent = words("app-pin-short");
        return;
      }
      try {
        resolve(await Vault.open(pin.value));
      } catch (error) {
        if (!(error instanceof WrongPin)) throw error;
        wrong(problem, pin);
      }
    };
    show(el("h1", {}, "Jicho"), form);
    pin.focus();
  });
}

/** Puts another PIN in the place of the one there is. */
export function changePin(): Promise<void> {
  return new Promise((resolve) => {
    const pin = field("pin");
    const other = field("new-pin");
    const problem = el("p", { class: "problem", role: "alert" });
    const form = el(
      "form",
      { id: "pin-form" },
      el("label", { for: "pin" }, words("app-pin")),
      pin,
      el("label", { for: "new-pin" }, words("app-pin-new")),
      other,
      problem,
      el("button", {}, words("app-next")),
    );
    form.onsubmit = async (event) => {
      event.preventDefault();
      problem.textContent = "";
      if (!isLong(other.value)) {
        problem.textContent = words("app-pin-short");
        return;
      }
      try {
        await Vault.changePin(pin.value, other.value);
        notice(words("app-pin-changed"));
        resolve();
      } catch (error) {
        if (!(error instanceof WrongPin)) throw error;
        wrong(problem, pin);
      }
    };
    show(el("h1", {}, words("app-pin-change")), form, el("button", { class: "quiet", onclick: () => resolve() }, words("app-back")));
  });
}

function wrong(problem: HTMLElement, pin: HTMLInputElement): void {
  problem.textContent = words("app-pin-wrong");
  pin.value = "";
  pin.focus();
}
