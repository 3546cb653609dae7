import { el, show } from "../dom";
import { NotHandedOver, askForCode, enrol as enrolled } from "../handover";
import type { Vault } from "../vault";
import { words } from "../words";

/** Enrols this phone at the clinic's server: the worker's number, then the code that came to it. */
export function enrol(vault: Vault): Promise<void> {
  return new Promise((resolve) => {
    const phone = el("input", { id: "my-phone", type: "tel", autocomplete: "tel", required: true });
    const code = el("input", { id: "my-code", inputmode: "numeric", autocomplete: "one-time-code", pattern: "[0-9]{6}" });
    const second = el("div", { hidden: true }, el("label", { for: "my-code" }, words("app-enrol-code")), code);
    const problem = el("p", { class: "problem", role: "alert" });
    const form = el(
      "form",
      { id: "enrol-form" },
      el("label", { for: "my-phone" }, words("app-enrol-phone")),
      phone,
      second,
      problem,
      el("button", {}, words("app-next")),
    );
    form.onsubmit = async (event) => {
      event.preventDefault();
      problem.textContent = "";
      try {
        if (second.hidden) {
          await askForCode(phone.value);
          second.hidden = false;
          code.required = true;
          code.focus();
        } else {
          await enrolled(vault, phone.value, code.value);
          resolve();
        }
      } catch (error) {
        if (!(error instanceof NotHandedOver)) throw error;
        problem.textContent = words(error.status === 0 ? "app-no-network" : "app-enrol-failed");
        second.hidden = true;
        code.value = "";
        code.required = false;
      }
    };
    show(el("h1", {}, words("app-enrol")), form, el("button", { class: "quiet", onclick: () => resolve() }, words("app-back")));
  });
}
