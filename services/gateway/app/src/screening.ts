import { EYES, type Eye, type Finding, outcomeOfEye, outcomeOfPatient } from "./decision";
import type { GradeReading } from "./reading/engine";
import type { Outcome } from "./reading/grades";
import { site } from "./site";
import type { Vault } from "./vault";
import { type Language, words } from "./words";

/** One patient's screening as this phone keeps it. It is recorded from the consent on. */
export interface Screening {
  id: string;
  /** Counts on this phone; the server gives the code by which everybody else knows the screening. */
  number: number;
  code: string;
  openedAt: number;
  sex: "female" | "male" | "unknown";
  birthYear: number;
  phone: string;
  language: Language;
  consent: string;
  urgent: boolean;
  oneEye: boolean;
  /** What of that the server knows. */
  oneEyeTold?: boolean;
  /** Whether the server may know of it. */
  sent?: boolean;
  /** The patient took her consent back: what is left of it is its name, until the server knows as well. */
  withdrawn?: boolean;
  clinic?: Clinic;
  /** Whether it is being worked on: where the phone goes off, it comes back. */
  onScreen: boolean;
  photographs: Photograph[];
}

/** What the server says of a screening: from its own readings, or a specialist's. */
export interface Clinic {
  outcome: Outcome | null;
  reviewed: boolean;
  /** Ids of sentences with their parameters. */
  says: [string, Record<string, string>][];
}

export interface Photograph {
  id: string;
  eye: Eye;
  sha256: string;
  takenAt: number;
  reading: GradeReading;
  handedOver: boolean;
}

const finding = ({ reading }: Photograph): Finding =>
  reading.outcome === "retake" && reading.quality.gradable ? "doubtful" : reading.outcome;

export function findingsOf(screening: Screening): Record<Eye, Finding[]> {
  const of = (eye: Eye) => screening.photographs.filter((each) => each.eye === eye).map(finding);
  return { left: of("left"), right: of("right") };
}

/** What the clinic says, where that is more than this phone found itself. */
export const newsOf = (screening: Screening): Clinic | null => {
  const { clinic } = screening;
  return clinic?.outcome && (clinic.reviewed || clinic.outcome !== outcomeOf(screening)) ? clinic : null;
};

export const outcomeOf = (screening: Screening): Outcome | null =>
  outcomeOfPatient(findingsOf(screening), screening.oneEye, screening.urgent);

/** What the health worker is told after a photograph: the sentence that the server would send her. */
export function verdict(screening: Screening, photograph: Photograph): string {
  const findings = findingsOf(screening);
  const { eye, reading } = photograph;
  const other = EYES[1 - EYES.indexOf(eye)];
  const reason = reading.quality.reasons[0] ?? "quality-unclear";
  return words(verdictId(screening, findings, eye, other), {
    code: screening.code || `#${screening.number}`,
    eye: `eye-${eye}`,
    other: `eye-${other}`,
    reason,
    place: site().place,
  });
}

function verdictId(screening: Screening, findings: Record<Eye, Finding[]>, eye: Eye, other: Eye): string {
  const mine = findings[eye];
  const outcome = outcomeOf(screening);
  const doubtful = mine.at(-1) === "doubtful";
  switch (outcomeOfEye(mine)) {
    case "refer": {
      if (!mine.includes("refer")) return mine.includes("doubtful") ? "worker-refer-unclear" : "worker-refer-ungradable";
      const signs = new Set(screening.photographs.filter((each) => each.eye === eye).flatMap((each) => each.reading.signs));
      return signs.size === 1 && signs.has("oedema") ? "worker-refer-oedema" : "worker-refer";
    }
    case "retake":
      return doubtful ? "worker-retake-unclear" : "worker-retake";
    default:
      if (outcome === null) return outcomeOfEye(findings[other]) === null ? "worker-normal-send-other" : "worker-normal-retake-other";
      if (outcome === "refer") return outcomeOfEye(findings[other]) === "refer" ? "worker-normal-refer" : "worker-normal-urgent";
      return "worker-normal-done";
  }
}

/** The message that the patient hears of her result. */
export const patientMessage = (screening: Screening): string => {
  const outcome = outcomeOf(screening);
  if (outcome === "refer") return screening.urgent ? "result-refer-urgent" : "result-refer";
  return outcome === "rescreen" ? "result-rescreen" : "result-retake";
};

export const save = (vault: Vault, screening: Screening): Promise<void> =>
  vault.putJson("screenings", screening.id, screening);

/** Leaves nothing of a screening on this phone. */
export async function forget(vault: Vault, screening: Screening): Promise<void> {
  for (const photograph of screening.photographs) await vault.delete("photographs", photograph.id);
  await vault.delete("screenings", screening.id);
}

/** The patient takes her consent back: forgets all that says anything of her. The server is told by the name that is
 * left, where it may know the screening. */
export async function withdraw(vault: Vault, screening: Screening): Promise<void> {
  for (const photograph of screening.photographs) await vault.delete("photographs", photograph.id);
  const nothing = { sex: "unknown", birthYear: 0, phone: "", urgent: false, oneEye: false, photographs: [], clinic: undefined } as const;
  Object.assign(screening, nothing, { photographs: [], onScreen: false, withdrawn: true });
  if (screening.sent) await save(vault, screening);
  else await vault.delete("screenings", screening.id);
}

/** Every screening on this phone, newest first. */
export async function all(vault: Vault): Promise<Screening[]> {
  const found = await Promise.all((await vault.ids("screenings")).map((id) => vault.getJson<Screening>("screenings", id)));
  return found.filter((each): each is Screening => each !== null).sort((a, b) => b.number - a.number);
}
