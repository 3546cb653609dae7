// What a graph that grades says of one photograph: services/inference/engine.py, of which this is the browser's edition.

import type { Grades, GradesTier } from "./manifest";
import type { Quality } from "./quality";

export type Outcome = "refer" | "rescreen" | "retake";

/** What was found in one photograph, in the words and units of the server's Reading. */
export interface Grade {
  programme: string;
  tier: string;
  quality: Quality;
  probability: number | null;
  oedema_probability: number | null;
  signs: ("retinopathy" | "oedema")[];
  doubtful: boolean;
  referable: boolean | null;
  outcome: Outcome;
  model: { name: string; version: string; sha256: string; threshold: number; doubt: number };
}

export function graded(manifest: Grades, name: string, tier: GradesTier, quality: Quality, logits: Float64Array | null): Grade {
  const doubt = tier.doubt ?? tier.threshold;
  const probability = logits && calibrated(logits[tier.output], tier.temperature);
  const oedema = logits && tier.oedema ? calibrated(logits[tier.oedema.output], tier.oedema.temperature) : null;
  const signs: Grade["signs"] = [];
  if (probability !== null && probability >= tier.threshold) signs.push("retinopathy");
  if (oedema !== null && oedema >= tier.oedema!.threshold) signs.push("oedema");
  const referable = probability === null ? null : signs.length > 0;
  const doubtful = referable === false && probability! >= doubt;
  return {
    programme: manifest.programme,
    tier: name,
    quality,
    probability,
    oedema_probability: oedema,
    signs,
    doubtful,
    referable,
    outcome: referable === null || doubtful ? "retake" : referable ? "refer" : "rescreen",
    model: { name: manifest.name, version: manifest.version, sha256: tier.sha256, threshold: tier.threshold, doubt },
  };
}

/** The probability that a logit stands for, after temperature scaling. */
const calibrated = (logit: number, temperature: number): number =>
  1 / (1 + Math.exp(-Math.max(-40, Math.min(40, logit / temperature))));
