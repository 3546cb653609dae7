// One verified ONNX file in use: logits summed over mirrored views.

import * as ort from "onnxruntime-web/wasm";

import type { Tier } from "./manifest";
import { type Raster, black } from "./raster";

/** A model that must not be used: missing, altered, or wrong on its golden cases. */
export class ModelError extends Error {}

/** Where a model's files come from. Throws ModelError for one that is not there. */
export type Source = (name: string) => Promise<ArrayBuffer>;

export type Progress = (share: number) => void;

const MAP = "map";

ort.env.wasm.numThreads = 1; // views are shared out instead (twin.ts): threads that wait for each other spin

export class Graph {
  private constructor(
    readonly tier: Tier,
    private readonly session: ort.InferenceSession,
  ) {}

  /** Throws ModelError. */
  static async open(source: Source, tier: Tier): Promise<Graph> {
    const content = await source(tier.file);
    await verify(content, tier);
    // With the 8-bit kernels, as on the server: in single precision other roundings lead to other probabilities.
    const session = await ort.InferenceSession.create(content, { executionProviders: ["wasm"], logSeverityLevel: 3 });
    return new Graph(tier, session);
  }

  /** Every logit, summed over some views of a square: 0 as it is, 1 left-right, 2 up-down, 3 both. */
  async sums(pixels: Raster, views: number[], progress: Progress = () => {}): Promise<Float64Array<ArrayBuffer>> {
    const output = this.session.outputNames.find((name) => name !== MAP)!;
    let sums: Float64Array<ArrayBuffer> | null = null;
    for (const [done, view] of views.entries()) {
      progress(done / views.length);
      const fed = new ort.Tensor("uint8", mirrored(pixels, (view & 1) === 1, (view & 2) === 2), [1, pixels.height, pixels.width, 3]);
      const found = (await this.session.run({ [this.session.inputNames[0]]: fed }, [output]))[output].data as Float32Array;
      sums ??= new Float64Array(found.length);
      for (let i = 0; i < found.length; i++) sums[i] += found[i];
    }
    return sums!;
  }

  /** One pass over a black square: the first is slower than those that follow. */
  async warm(): Promise<void> {
    await this.sums(black(this.tier.size, this.tier.size), [0]);
  }

  async close(): Promise<void> {
    await this.session.release();
  }
}

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

async function verify(content: ArrayBuffer, tier: Tier): Promise<void> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (found !== tier.sha256) throw new ModelError(`${tier.file}: sha256 is ${found.slice(0, 12)}…`);
}
