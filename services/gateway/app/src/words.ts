// Sentences from the same catalogues as everywhere else; their ids are the same too.

export type Language = "en" | "sw" | "luo";
export const LANGUAGES: Language[] = ["sw", "luo", "en"];

const THINGS = ["eye-", "place-", "quality-"]; // ids that may stand in for a parameter
const catalogues = new Map<Language, Record<string, string>>();
let chosen: Language = "sw";

/** Has a language ready and makes it the page's. */
export async function choose(language: Language): Promise<void> {
  await ready(language);
  chosen = language;
  document.documentElement.lang = language;
}

export async function ready(language: Language): Promise<void> {
  if (!catalogues.has(language)) catalogues.set(language, await (await fetch(`/app/words/${language}.json`)).json());
}

export const language = (): Language => chosen;

/** One sentence with its parameters filled in. */
export function words(id: string, parameters: Record<string, string | number> = {}, of: Language = chosen): string {
  const catalogue = catalogues.get(of) ?? {};
  const sentence = catalogue[id];
  if (sentence === undefined) throw new Error(`no message ${id}`);
  return sentence.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = String(parameters[name]);
    return THINGS.some((start) => value.startsWith(start)) ? (catalogue[value] ?? value) : value;
  });
}
