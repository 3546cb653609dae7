// What a graph of classes says of one picture, as services/inference/classes.py does on the server.

import type { Field } from "./field";
import type { Classes, ClassesTier } from "./manifest";
import type { Raster } from "./raster";

/** Which class a picture shows: `found` is null where the likeliest is not likely enough to be said. */
export interface Class {
  programme: string;
  tier: string;
  found: string | null;
  likeliest: string;
  probability: number;
  probabilities: Record<string, number>;
  model: { name: string; version: string; sha256: string; abstain_below: number };
}

/** The square in the middle. */
export function centre(image: Raster): Field {
  const side = Math.min(image.width, image.height);
  const [left, top] = [(image.width - side) / 2, (image.height - side) / 2];
  return { left, top, right: left + side, bottom: top + side, found: false, aspect: 1 };
}

export function classified(manifest: Classes, name: string, tier: ClassesTier, logits: Float64Array): Class {
  const most = Math.max(...logits);
  const powers = Array.from(logits, (logit) => Math.exp((logit - most) / tier.temperature));
  const all = powers.reduce((sum, power) => sum + power, 0);
  const shares = powers.map((power) => power / all);
  const probability = Math.max(...shares);
  const likeliest = manifest.classes[shares.indexOf(probability)];
  return {
    programme: manifest.programme,
    tier: name,
    found: probability < tier.abstain_below ? null : likeliest,
    likeliest,
    probability,
    probabilities: Object.fromEntries(manifest.classes.map((each, i) => [each, shares[i]])),
    model: { name: manifest.name, version: manifest.version, sha256: tier.sha256, abstain_below: tier.abstain_below },
  };
}
