import { conversation } from "../specification.json";
import { el, show } from "../dom";
import type { Screening } from "../screening";
import { LANGUAGES, type Language, language, words } from "../words";

/** Who is screened, and whether she consents; null when she does not, or the worker goes back. Nothing is kept before. */
export function details(number: number): Promise<Screening | null> {
  return new Promise((resolve) => {
    const year = new Date().getFullYear();
    const born = el("input", { id: "born", name: "born", type: "number", inputmode: "numeric", min: conversation.OLDEST, max: year, required: true });
    const phone = el("input", { id: "phone", name: "phone", type: "tel", autocomplete: "off", pattern: "[+0-9 ]{9,16}" });
    const spoken = el(
      "select",
      { id: "language", name: "language" },
      ...LANGUAGES.map((each) => el("option", { value: each, selected: each === language() }, words(`language-${each}`))),
    );
    const urgent = choice("urgent", "ask-urgent", { no: "answer-no", yes: "answer-yes" });
    urgent.hidden = true; // about her health, so asked after consent
    const consent = choice("consent", "ask-consent", { yes: "answer-yes", no: "answer-no" });
    const form = el(
      "form",
      { id: "details" },
      choice("sex", "ask-sex", { female: "ask-sex-female", male: "ask-sex-male" }),
      el("label", { for: "born" }, words("ask-birth-year")),
      born,
      el("label", { for: "phone" }, words("app-phone")),
      phone,
      el("label", { for: "language" }, words("ask-patient-language")),
      spoken,
      consent,
      urgent,
      el("button", {}, words("app-next")),
    );
    consent.onchange = () => {
      const agreed = new FormData(form).get("consent") === "yes";
      urgent.hidden = !agreed;
      urgent.querySelectorAll("input").forEach((input) => (input.required = agreed));
    };
    form.onsubmit = (event) => {
      event.preventDefault();
      const given = new FormData(form);
      if (given.get("consent") !== "yes") {
        show(
          el("p", { role: "status" }, words("consent-declined")),
          el("button", { onclick: () => resolve(null) }, words("app-back")),
        );
        return;
      }
      resolve({
        id: crypto.randomUUID(),
        number,
        code: "",
        openedAt: Date.now(),
        sex: given.get("sex") as Screening["sex"],
        birthYear: Number(given.get("born")),
        phone: String(given.get("phone")).replaceAll(" ", ""),
        language: given.get("language") as Language,
        consent: conversation.CONSENT,
        urgent: given.get("urgent") === "yes",
        oneEye: false,
        onScreen: true,
        sent: false,
        photographs: [],
      });
    };
    show(el("h1", {}, words("app-new")), form, el("button", { class: "quiet", onclick: () => resolve(null) }, words("app-back")));
  });
}

function choice(name: string, question: string, answers: Record<string, string>): HTMLFieldSetElement {
  const options = Object.entries(answers).map(([value, id]) =>
    el("label", {}, el("input", { type: "radio", name, value, required: name !== "urgent" }), words(id)),
  );
  return el("fieldset", {}, el("legend", {}, words(question)), el("div", { class: "choices" }, ...options));
}
