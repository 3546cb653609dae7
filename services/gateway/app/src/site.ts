/** The clinic's name, and where referred patients are sent: a name, or the id of a message. */
export interface Site {
  clinic: string;
  place: string;
}

let known: Site = { clinic: "Jicho", place: "place-eye-clinic" };

export async function load(): Promise<void> {
  known = (await (await fetch("/app/site.json")).json()) as Site;
}

export const site = (): Site => known;
