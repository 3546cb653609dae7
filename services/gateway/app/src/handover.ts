// What this phone kept goes to the clinic's server when it is in reach: each thing by its own name, so that nothing is
// taken twice however often it is sent.

import type { Screening } from "./screening";
import { save } from "./screening";
import type { Vault } from "./vault";

/** The server could not be reached, or does not know this phone (any more). */
export class NotHandedOver extends Error {}

const DEVICE = "device";
const TAKEN_BACK = "410";

export const isEnrolled = async (vault: Vault): Promise<boolean> => (await vault.getJson("meta", DEVICE)) !== null;

/** Asks for a code by SMS. Throws NotHandedOver. */
export async function askForCode(phone: string): Promise<void> {
  await asked("/app/enrol/code", { method: "POST", ...json({ phone }) });
}

/** Throws NotHandedOver. */
export async function enrol(vault: Vault, phone: string, code: string): Promise<void> {
  const answer = await asked("/app/enrol", { method: "POST", ...json({ phone, code }) });
  await vault.putJson("meta", DEVICE, (await answer.json()) as { token: string });
}

/** Tells the window that something was handed over. */
export const HANDED_OVER = "jicho-handed-over";

let under: Promise<void> | null = null;

/** Begins to hand over whatever waits, oldest first, unless that is under way. What cannot go now goes another time. */
export function handOver(vault: Vault, screenings: Screening[]): void {
  under ??= all(vault, screenings).finally(() => (under = null));
}

async function all(vault: Vault, screenings: Screening[]): Promise<void> {
  const device = await vault.getJson<{ token: string }>("meta", DEVICE);
  if (!device) return;
  for (const screening of screenings.filter(waits).reverse()) {
    try {
      await one(vault, device.token, screening);
    } catch (error) {
      if (!(error instanceof NotHandedOver)) throw error;
      if (error.message !== TAKEN_BACK) continue;
      await forget(vault, screening);
      screenings.splice(screenings.indexOf(screening), 1);
    }
    window.dispatchEvent(new Event(HANDED_OVER));
  }
}

/** The patient took her consent back at the clinic: nothing of her stays here. */
async function forget(vault: Vault, screening: Screening): Promise<void> {
  for (const photograph of screening.photographs) await vault.delete("photographs", photograph.id);
  await vault.delete("screenings", screening.id);
}

/** Whether the server lacks anything of a screening. One that is on the screen is handed over afterwards. */
const waits = (screening: Screening): boolean =>
  !screening.onScreen && (!screening.code || !screening.photographs.every((each) => each.handedOver));

async function one(vault: Vault, token: string, screening: Screening): Promise<void> {
  const waiting = screening.photographs.filter((each) => !each.handedOver);
  const url = `/app/screenings/${screening.id}`;
  const authorised = { Authorization: `Bearer ${token}` };
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
  const answer = await asked(url, { method: "PUT", body: sent.body, headers: { ...sent.headers, ...authorised } });
  screening.code = ((await answer.json()) as { code: string }).code;
  await save(vault, screening);
  for (const photograph of waiting) {
    const content = await vault.get("photographs", photograph.id);
    if (!content) continue;
    const body = new FormData();
    body.set("photograph", new Blob([content]));
    body.set("eye", photograph.eye);
    body.set("reading", JSON.stringify(photograph.reading));
    await asked(`${url}/photographs/${photograph.id}`, { method: "PUT", body, headers: authorised });
    photograph.handedOver = true;
    await save(vault, screening);
    await vault.delete("photographs", photograph.id); // the clinic has it, and a lost phone should not
  }
}

const json = (value: unknown) => ({ body: JSON.stringify(value), headers: { "Content-Type": "application/json" } });

async function asked(url: string, how: RequestInit): Promise<Response> {
  const answer = await fetch(url, how).catch(() => null);
  if (!answer?.ok) throw new NotHandedOver(String(answer?.status ?? "no network"));
  return answer;
}
