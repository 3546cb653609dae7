import { el, show } from "../dom";
import { type Screening, withdraw } from "../screening";
import type { Vault } from "../vault";
import { words } from "../words";

/** Asks whether a patient takes her consent back, and erases what is here if she does: whether she did. */
export function withdrawal(vault: Vault, screening: Screening): Promise<boolean> {
  return new Promise((resolve) => {
    const code = screening.code || `#${screening.number}`;
    const erase = async () => {
      await withdraw(vault, screening);
      show(
        el("h1", {}, code),
        el("p", { role: "status" }, words("withdraw-done")),
        el("button", { id: "close", onclick: () => resolve(true) }, words("app-back")),
      );
    };
    show(
      el("h1", {}, words("menu-withdraw")),
      el("p", {}, words("ask-withdraw", { code })),
      el("button", { id: "erase", onclick: erase }, words("answer-yes")),
      el("button", { class: "quiet", onclick: () => resolve(false) }, words("answer-no")),
    );
  });
}
