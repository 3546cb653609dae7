// One tier of one programme, loaded and verified: services/inference/engine.py, of which this is the browser's edition.

import * as ort from "onnxruntime-web/wasm";

import { type Field, findField, square } from "./field";
import type { Manifest, Tier } from "./manifest";
import { type Quality, assess } from "./quality";
import { type Raster, black } from "./raster";

export type Outcome = "refer" | "rescreen" | "retake";

/** What was found in one photograph, in the words and units of the server's Reading. */
export interface Reading {
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
  milliseconds: { preprocess: number; quality: number; model: number; total: number };
}

/** A model that must not be used: missing, altered, or wrong on its golden cases. */
export class ModelError extends Error {}

const MAP = "map";

ort.env.wasm.numThreads = 1; // more were slower on two cores, and a cheap phone has other things to do

export class Engine {
  private constructor(
    readonly manifest: Manifest,
    readonly tier: Tier,
    private readonly name: string,
    private readonly session: ort.InferenceSession,
  ) {}

  /** Loads a tier from `folder`, a URL that ends in a slash. Throws ModelError. */
  static async open(folder: string, name: string): Promise<Engine> {
    const manifest = (await (await fetched(folder + "manifest.json")).json()) as Manifest;
    const tier = manifest.tiers[name];
    if (!tier) throw new ModelError(`no tier ${name}`);
    const content = await (await fetched(folder + tier.file)).arrayBuffer();
    await verify(content, tier);
    // With the 8-bit kernels, as on the server: in single precision other roundings lead to other probabilities.
    const session = await ort.InferenceSession.create(content, { executionProviders: ["wasm"], logSeverityLevel: 3 });
    return new Engine(manifest, tier, name, session);
  }

  /** Grades one upright photograph of any size. */
  async read(image: Raster, progress: (stage: string, share: number) => void = () => {}): Promise<Reading> {
    const began = performance.now();
    progress("crop", 0);
    const field: Field = findField(image);
    const pixels = square(image, this.tier.size, field);
    const prepared = performance.now();
    progress("quality", 0.15);
    const quality = assess(image, this.manifest.quality, field);
    const judged = performance.now();
    const logits = quality.gradable ? await this.logits(pixels, (share) => progress("model", 0.3 + 0.7 * share)) : null;
    const ended = performance.now();
    return {
      ...this.concluded(quality, logits),
      milliseconds: {
        preprocess: prepared - began,
        quality: judged - prepared,
        model: ended - judged,
        total: ended - began,
      },
    };
  }

  private concluded(quality: Quality, logits: Float64Array | null): Omit<Reading, "milliseconds"> {
    const { tier, manifest } = this;
    const doubt = tier.doubt ?? tier.threshold;
    const probability = logits && calibrated(logits[tier.output], tier.temperature);
    const oedema = logits && tier.oedema ? calibrated(logits[tier.oedema.output], tier.oedema.temperature) : null;
    const signs: Reading["signs"] = [];
    if (probability !== null && probability >= tier.threshold) signs.push("retinopathy");
    if (oedema !== null && oedema >= tier.oedema!.threshold) signs.push("oedema");
    const referable = probability === null ? null : signs.length > 0;
    const doubtful = referable === false && probability! >= doubt;
    return {
      programme: manifest.programme,
      tier: this.name,
      quality,
      probability,
      oedema_probability: oedema,
      signs,
      doubtful,
      referable,
      outcome: referable === null || doubtful ? "retake" : referable ? "refer" : "rescreen",
      model: {
        name: manifest.name,
        version: manifest.version,
        sha256: tier.sha256,
        threshold: tier.threshold,
        doubt,
      },
    };
  }

  /** Every logit of the graph, averaged over mirrored views: as it is, left-right, up-down, both. */
  private async logits(pixels: Raster, progress: (share: number) => void): Promise<Float64Array> {
    const views = this.tier.views ?? 1;
    const output = this.session.outputNames.find((name) => name !== MAP)!;
    let sums: Float64Array | null = null;
    for (let view = 0; view < views; view++) {
      progress(view / views);
      const fed = new ort.Tensor("uint8", mirrored(pixels, (view & 1) === 1, (view & 2) === 2), [1, pixels.height, pixels.width, 3]);
      const found = (await this.session.run({ [this.session.inputNames[0]]: fed }, [output]))[output].data as Float32Array;
      sums ??= new Float64Array(found.length);
      found.forEach((logit, i) => (sums![i] += logit / views));
    }
    return sums!;
  }

  /** One pass over a black square: the first is slower than those that follow. */
  async warm(): Promise<void> {
    await this.logits(black(this.tier.size, this.tier.size), () => {});
  }

  async close(): Promise<void> {
    await this.session.release();
  }
}

/** The probability that a logit stands for, after temperature scaling. */
const calibrated = (logit: number, temperature: number): number =>
  1 / (1 + Math.exp(-Math.max(-40, Math.min(40, logit / temperature))));

/** RGB without alpha, turned over as asked. */
function mirrored(pixels: Raster, across: boolean, down: boolean): Uint8Array {
  const { width, height, data } = pixels;
  const out = new Uint8Array(width * height * 3);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += 3) {
      const at = ((down ? height - 1 - y : y) * width + (across ? width - 1 - x : x)) * 4;
      out[to] = data[at];
      out[to + 1] = data[at + 1];
      out[to + 2] = data[at + 2];
    }
  }
  return out;
}

async function fetched(url: string): Promise<Response> {
  const answer = await fetch(url).catch((error: unknown) => {
    throw new ModelError(`${url}: ${String(error)}`);
  });
  if (!answer.ok) throw new ModelError(`${url}: ${answer.status}`);
  return answer;
}

async function verify(content: ArrayBuffer, tier: Tier): Promise<void> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (found !== tier.sha256) throw new ModelError(`${tier.file}: sha256 is ${found.slice(0, 12)}…`);
}
