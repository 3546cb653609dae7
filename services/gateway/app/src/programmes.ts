// What can be read with this app: the programmes of the clinic, and which of them are on this phone.

import { listedInUse } from "./release";

/** A programme as models/<name>/programme.json describes it; `title` is the id of its name, `says` has the messages by
 * which a question is answered, by the class that was found, "" where none was. */
export interface Programme {
  name: string;
  photographs: "case" | "question";
  title: string;
  says: Record<string, string[]>;
}

const CHOSEN = "programmes";

let offered: Programme[] = [];

export async function load(): Promise<void> {
  offered = (await (await fetch("/app/programmes.json")).json()) as Programme[];
}

export const programmes = (): Programme[] => offered;

/** The programme whose screenings are kept here, if the clinic has one. */
export const ofCases = (): Programme | undefined => offered.find((each) => each.photographs === "case");

export const folder = (programme: string): string => `/app/models/${programme}/`;

/** The names of those that were asked for on this phone; the first one comes without being asked for. */
export const chosen = (): string[] => JSON.parse(localStorage.getItem(CHOSEN) ?? "[]") as string[];

export const choose = (names: string[]): void => localStorage.setItem(CHOSEN, JSON.stringify(names));

/** Whether the models of a programme are on this phone, so that it works without a network. */
export async function isHere(programme: string): Promise<boolean> {
  return `${folder(programme)}manifest.json` in (await listedInUse());
}
