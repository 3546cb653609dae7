// From readings of photographs to what happens to a patient: services/screening/decision.py, where the rules are given.

import { decision as D } from "./specification.json";
import type { Outcome } from "./reading/grades";

export type Eye = "left" | "right";
export type Finding = Outcome | "doubtful";

export const EYES = D.EYES as Eye[];

/** What one eye's photographs say together, oldest first; null while there is none. */
export function outcomeOfEye(findings: Finding[]): Outcome | null {
  if (findings.length === 0) return null;
  const abstentions = findings.filter((each) => each === "retake" || each === "doubtful").length;
  if (findings.includes("refer") || abstentions >= D.ABSTENTION_LIMIT) return "refer";
  const since = findings.lastIndexOf("doubtful");
  return findings.slice(Math.max(since, 0)).includes("rescreen") ? "rescreen" : "retake";
}

/** What both eyes say together; null while a photograph is missing or has to be taken again. */
export function outcomeOfPatient(eyes: Record<Eye, Finding[]>, oneEye: boolean, urgent: boolean): Outcome | null {
  const outcomes = EYES.map((eye) => outcomeOfEye(eyes[eye]));
  if (outcomes.includes("refer")) return "refer";
  const normal = outcomes.filter((outcome) => outcome === "rescreen").length;
  if (normal < (oneEye ? 1 : EYES.length) || outcomes.includes("retake")) return null;
  return urgent ? "refer" : "rescreen";
}
