/** What `models/<programme>/manifest.json` says, as far as a browser needs it. */
export interface Manifest {
  programme: string;
  name: string;
  version: string;
  tiers: Record<string, Tier>;
  quality: Gate;
  golden: { file: string; gradable: boolean; referable: boolean; probability: Record<string, number> }[];
  tolerance: number;
}

export interface Tier {
  file: string;
  sha256: string;
  bytes: number;
  size: number;
  views?: number;
  output: number;
  temperature: number;
  threshold: number;
  doubt?: number;
  oedema?: { output: number; temperature: number; threshold: number };
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
