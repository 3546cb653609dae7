/** What `models/<programme>/manifest.json` says, as far as a browser needs it. */
export type Manifest = Grades | Classes;

interface Common<T extends Tier, G> {
  programme: string;
  name: string;
  version: string;
  tiers: Record<string, T>;
  golden: G[];
  tolerance: number;
}

/** How likely referable disease is. */
export interface Grades extends Common<GradesTier, { file: string; gradable: boolean; referable: boolean; probability: Record<string, number> }> {
  kind?: "grades";
  quality: Gate;
}

/** Which of some classes a picture shows, in the order of the graph's logits. */
export interface Classes extends Common<ClassesTier, { file: string; class: Record<string, string | null>; probability: Record<string, number> }> {
  kind: "classes";
  classes: string[];
  healthy: string;
  crop: "centre";
}

export interface Tier {
  file: string;
  sha256: string;
  bytes: number;
  size: number;
  views?: number;
  temperature: number;
}

export interface GradesTier extends Tier {
  output: number;
  threshold: number;
  doubt?: number;
  oedema?: { output: number; temperature: number; threshold: number };
}

export interface ClassesTier extends Tier {
  abstain_below: number;
}

export interface Logistic {
  intercept: number;
  threshold: number;
  mean: number[];
  deviation: number[];
  low: number[];
  high: number[];
  linear: number[];
  square: number[];
  seen_low?: number[];
  seen_high?: number[];
  usual_low?: number[];
  usual_high?: number[];
}

export interface Gate {
  smallest_field: number;
  retina: Logistic;
  gradable: Logistic;
}
