import { el, show } from "../dom";
import { ERASED, HANDED_OVER } from "../handover";
import { type Programme, isHere, ofCases, programmes } from "../programmes";
import { type Screening, newsOf, outcomeOf } from "../screening";
import { READY } from "../updates";
import { words } from "../words";

export interface Chosen {
  what: "new" | "language" | "lock" | "open" | "enrol" | "news" | "pin" | "erased" | "question" | "add";
  programme?: Programme;
  screening?: Screening;
}

/** What is on this phone, and what to do next. */
export async function home(screenings: Screening[], enrolled: boolean): Promise<Chosen> {
  const asked = await Promise.all(programmes().filter((each) => each.photographs === "question").map(async (each) => ({ ...each, here: await isHere(each.name) })));
  return new Promise((resolve) => {
    for (const news of ["online", HANDED_OVER, READY]) window.addEventListener(news, () => resolve({ what: "news" }), { once: true });
    window.addEventListener(ERASED, () => resolve({ what: "erased" }), { once: true });
    const rows = screenings.map((screening) =>
      el(
        "li",
        {},
        screening.withdrawn ? line(screening) : el("button", { onclick: () => resolve({ what: "open", screening }) }, line(screening)),
      ),
    );
    show(
      el("h1", {}, "Jicho"),
      ofCases() && el("button", { id: "new", onclick: () => resolve({ what: "new" }) }, words("app-new")),
      ...asked.map((each) =>
        el(
          "button",
          { id: `programme-${each.name}`, onclick: () => resolve({ what: each.here ? "question" : "add", programme: each }) },
          each.here ? words(each.title) : `${words(each.title)} · ${words("app-download-start")}`,
        ),
      ),
      ofCases() && el("h2", {}, words("app-list")),
      rows.length > 0 ? el("ul", { id: "screenings" }, ...rows) : ofCases() && el("p", {}, words("app-list-empty")),
      !enrolled && el("button", { id: "enrol", onclick: () => resolve({ what: "enrol" }) }, words("app-enrol")),
      el("button", { class: "quiet", onclick: () => resolve({ what: "language" }) }, words("menu-language")),
      el("button", { class: "quiet", id: "change-pin", onclick: () => resolve({ what: "pin" }) }, words("app-pin-change")),
      el("button", { class: "quiet", onclick: () => resolve({ what: "lock" }) }, words("app-lock")),
    );
  });
}

function line(screening: Screening): string {
  const when = new Date(screening.openedAt).toISOString().slice(0, 10);
  const outcome = screening.withdrawn ? "withdrawn" : (newsOf(screening)?.outcome ?? outcomeOf(screening) ?? "open");
  const handed = !screening.withdrawn && screening.photographs.every((each) => each.handedOver) && screening.code ? "app-handed-over" : "app-waiting";
  return `${screening.code || `#${screening.number}`} · ${when} · ${words(`app-outcome-${outcome}`)} · ${words(handed)}`;
}
