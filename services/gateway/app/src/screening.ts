import { EYES, type Eye, type Finding, outcomeOfEye, outcomeOfPatient } from "./decision";
import type { Outcome, Reading } from "./reading/engine";
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
  sex: "female" | "male";
  birthYear: number;
  phone: string;
  language: Language;
  consent: string;
  urgent: boolean;
  oneEye: boolean;
  /** Whether it is being worked on: where the phone goes off, it comes back. */
  onScreen: boolean;
  photographs: Photograph[];
}

export interface Photograph {
  id: string;
  eye: Eye;
  takenAt: number;
  reading: Reading;
  handedOver: boolean;
}

const finding = ({ reading }: Photograph): Finding =>
  reading.outcome === "retake" && reading.quality.gradable ? "doubtful" : reading.outcome;

export function findingsOf(screening: Screening): Record<Eye, Finding[]> {
  const of = (eye: Eye) => screening.photographs.filter((each) => each.eye === eye).map(finding);
  return { left: of("left"), right: of("right") };
}

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

/** Every screening on this phone, newest first. */
export async function all(vault: Vault): Promise<Screening[]> {
  const found = await Promise.all((await vault.ids("screenings")).map((id) => vault.getJson<Screening>("screenings", id)));
  return found.filter((each): each is Screening => each !== null).sort((a, b) => b.number - a.number);
}
