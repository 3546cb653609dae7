// What this phone kept goes to the clinic's server when it is in reach, and what became of it there comes back: each
// thing by its own name, so that nothing is taken twice however often it is sent.

import type { Clinic, Screening } from "./screening";
import { forget, save } from "./screening";
import { Vault } from "./vault";

/** The server could not be reached, or does not know this phone (any more); `status` is 0 without a network. `closed`:
 * the clinic had this phone closed. */
export class NotHandedOver extends Error {
  constructor(
    readonly status: number,
    readonly closed: boolean,
  ) {
    super(String(status));
  }
}

interface Device {
  token: string;
}

const DEVICE = "device";
const NEWS = "news";
const [NO_NETWORK, UNKNOWN_PHONE, GONE] = [0, 401, 410];

export const isEnrolled = async (vault: Vault): Promise<boolean> => (await vault.getJson("meta", DEVICE)) !== null;

/** Asks for a code by SMS. Throws NotHandedOver. */
export async function askForCode(phone: string): Promise<void> {
  await asked("/app/enrol/code", { method: "POST", ...json({ phone }) });
}

/** Throws NotHandedOver. */
export async function enrol(vault: Vault, phone: string, code: string): Promise<void> {
  const answer = await asked("/app/enrol", { method: "POST", ...json({ phone, code }) });
  await vault.putJson("meta", DEVICE, (await answer.json()) as Device);
}

/** Tells the window that something was handed over, or came from the clinic. */
export const HANDED_OVER = "jicho-handed-over";
/** Tells the window that the clinic had this phone erased. */
export const ERASED = "jicho-erased";

let under: Promise<void> | null = null;

/** Begins to hand over whatever waits, oldest first, and to fetch news, unless that is under way. What cannot go now goes
 * another time. */
export function handOver(vault: Vault, screenings: Screening[]): void {
  under ??= all(vault, screenings).finally(() => (under = null));
}

async function all(vault: Vault, screenings: Screening[]): Promise<void> {
  const device = await vault.getJson<Device>("meta", DEVICE);
  if (!device) return;
  const authorised = { Authorization: `Bearer ${device.token}` };
  try {
    for (const screening of screenings.filter(waits).reverse()) {
      const moved = await one(vault, authorised, screenings, screening);
      if (moved) window.dispatchEvent(new Event(HANDED_OVER));
    }
    if (await news(vault, authorised, screenings)) window.dispatchEvent(new Event(HANDED_OVER));
  } catch (error) {
    if (!(error instanceof NotHandedOver)) throw error;
    if (error.status === UNKNOWN_PHONE) await vault.delete("meta", DEVICE); // it can be connected again
    if (!error.closed) return;
    await Vault.erase();
    window.dispatchEvent(new Event(ERASED));
  }
}

/** Whether the server lacks anything of a screening. One that is on the screen is handed over afterwards. */
const waits = (screening: Screening): boolean =>
  screening.withdrawn ||
  (!screening.onScreen &&
    (!screening.code || screening.oneEye !== screening.oneEyeTold || !screening.photographs.every((each) => each.handedOver)));

/** Whether a screening went. Throws NotHandedOver where none would go now. */
async function one(vault: Vault, authorised: Record<string, string>, screenings: Screening[], screening: Screening): Promise<boolean> {
  try {
    if (screening.withdrawn) {
      await asked(`/app/screenings/${screening.id}`, { method: "DELETE", headers: authorised });
      await remove(vault, screenings, screening);
    } else {
      await handedOver(vault, authorised, screening);
    }
    return true;
  } catch (error) {
    if (!(error instanceof NotHandedOver) || error.closed || [NO_NETWORK, UNKNOWN_PHONE].includes(error.status)) throw error;
    if (error.status === GONE) await remove(vault, screenings, screening); // she took her consent back at the clinic
    return error.status === GONE;
  }
}

async function remove(vault: Vault, screenings: Screening[], screening: Screening): Promise<void> {
  await forget(vault, screening);
  screenings.splice(screenings.indexOf(screening), 1);
}

async function handedOver(vault: Vault, authorised: Record<string, string>, screening: Screening): Promise<void> {
  const url = `/app/screenings/${screening.id}`;
  const told = {
    sex: screening.sex,
    birth_year: screening.birthYear,
    phone: screening.phone,
    language: screening.language,
    consent: screening.consent,
    urgent: screening.urgent,
    one_eye: screening.oneEye,
  };
  const sent = json(told);
  if (!screening.sent) {
    screening.sent = true; // before it is, since the answer may be lost
    await save(vault, screening);
  }
  const answer = await asked(url, { method: "PUT", body: sent.body, headers: { ...sent.headers, ...authorised } });
  screening.code = ((await answer.json()) as { code: string }).code;
  screening.oneEyeTold = told.one_eye;
  await save(vault, screening);
  for (const photograph of screening.photographs.filter((each) => !each.handedOver)) {
    const content = await vault.get("photographs", photograph.id);
    if (content) {
      const body = new FormData();
      body.set("photograph", new Blob([content]));
      body.set("eye", photograph.eye);
      body.set("reading", JSON.stringify(photograph.reading));
      await asked(`${url}/photographs/${photograph.id}`, { method: "PUT", body, headers: authorised });
    } // or another window has handed it over
    photograph.handedOver = true;
    await save(vault, screening);
    await vault.delete("photographs", photograph.id); // the clinic has it, and a lost phone should not
  }
}

/** What became of this phone's screenings at the clinic: whether anything did. Throws NotHandedOver. */
async function news(vault: Vault, authorised: Record<string, string>, screenings: Screening[]): Promise<boolean> {
  const before = await vault.getJson<string>("meta", NEWS);
  const asking: Record<string, string> = before ? { "If-None-Match": before } : {};
  const answer = await asked("/app/news", { headers: { ...authorised, ...asking }, cache: "no-store" });
  if (answer.status === 304) return false;
  const told = (await answer.json()) as Record<string, Clinic & { withdrawn: boolean }>;
  let changed = false;
  for (const screening of [...screenings]) {
    const found = told[screening.id];
    if (!found || screening.onScreen || JSON.stringify(found) === JSON.stringify(screening.clinic)) continue;
    changed = true;
    if (found.withdrawn) await remove(vault, screenings, screening);
    else await save(vault, Object.assign(screening, { clinic: found }));
  }
  if (!screenings.some((each) => each.onScreen)) await vault.putJson("meta", NEWS, answer.headers.get("ETag") ?? "");
  return changed;
}

const json = (value: unknown) => ({ body: JSON.stringify(value), headers: { "Content-Type": "application/json" } });

async function asked(url: string, how: RequestInit): Promise<Response> {
  const answer = await fetch(url, how).catch(() => null);
  if (answer?.ok || answer?.status === 304) return answer;
  // Other refusals are nobody's wish to have anything erased.
  const said = answer?.status === 403 ? ((await answer.json().catch(() => null)) as { closed?: boolean } | null) : null;
  throw new NotHandedOver(answer?.status ?? NO_NETWORK, said?.closed === true);
}
