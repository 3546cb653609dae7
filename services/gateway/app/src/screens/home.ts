import { el, show } from "../dom";
import { HANDED_OVER } from "../handover";
import { type Screening, outcomeOf } from "../screening";
import { words } from "../words";

export interface Chosen {
  what: "new" | "language" | "lock" | "open" | "enrol" | "news";
  screening?: Screening;
}

/** What is on this phone, and what to do next. */
export function home(screenings: Screening[], enrolled: boolean): Promise<Chosen> {
  return new Promise((resolve) => {
    for (const news of ["online", HANDED_OVER]) window.addEventListener(news, () => resolve({ what: "news" }), { once: true });
    const rows = screenings.map((screening) =>
      el("li", {}, el("button", { onclick: () => resolve({ what: "open", screening }) }, line(screening))),
    );
    show(
      el("h1", {}, "Jicho"),
      el("button", { id: "new", onclick: () => resolve({ what: "new" }) }, words("app-new")),
      el("h2", {}, words("app-list")),
      rows.length > 0 ? el("ul", { id: "screenings" }, ...rows) : el("p", {}, words("app-list-empty")),
      !enrolled && el("button", { id: "enrol", onclick: () => resolve({ what: "enrol" }) }, words("app-enrol")),
      el("button", { class: "quiet", onclick: () => resolve({ what: "language" }) }, words("menu-language")),
      el("button", { class: "quiet", onclick: () => resolve({ what: "lock" }) }, words("app-lock")),
    );
  });
}

function line(screening: Screening): string {
  const when = new Date(screening.openedAt).toISOString().slice(0, 10);
  const outcome = outcomeOf(screening) ?? "open";
  const handed = screening.photographs.every((each) => each.handedOver) && screening.code ? "app-handed-over" : "app-waiting";
  return `${screening.code || `#${screening.number}`} · ${when} · ${words(`app-outcome-${outcome}`)} · ${words(handed)}`;
}
