// One tier of one programme, loaded and verified.

import { type Class, centre, classified } from "./classes";
import { decode } from "./decode";
import { findField, square } from "./field";
import { type Grade, graded } from "./grades";
import { Graph, ModelError, type Source } from "./graph";
import type { Manifest, Tier } from "./manifest";
import { assess } from "./quality";
import type { Raster } from "./raster";
import type { Twin } from "./twin";

interface Milliseconds {
  preprocess: number;
  quality: number;
  model: number;
  total: number;
}

export type GradeReading = Grade & { milliseconds: Milliseconds };
export type ClassReading = Class & { milliseconds: Milliseconds };
export type Reading = GradeReading | ClassReading;

/** So many golden cases are read of each tier of a new model. */
const GOLDEN_CASES = 2;

/** Throws ModelError. */
export async function manifestOf(source: Source): Promise<Manifest> {
  return JSON.parse(new TextDecoder().decode(await source("manifest.json"))) as Manifest;
}

export class Engine {
  /** Takes its share of the views, once it is there. */
  twin: Twin | null = null;

  private constructor(
    readonly manifest: Manifest,
    private readonly name: string,
    readonly graph: Graph,
  ) {}

  /** Throws ModelError. */
  static async open(source: Source, name: string): Promise<Engine> {
    const manifest = await manifestOf(source);
    const tier = manifest.tiers[name];
    if (!tier) throw new ModelError(`no tier ${name}`);
    return new Engine(manifest, name, await Graph.open(source, tier));
  }

  get tier(): Tier {
    return this.graph.tier;
  }

  /** Reads one upright photograph of any size. */
  async read(image: Raster, progress: (stage: string, share: number) => void = () => {}): Promise<Reading> {
    const { manifest, name } = this;
    const began = performance.now();
    progress("crop", 0);
    const field = manifest.kind === "classes" ? centre(image) : findField(image);
    const pixels = square(image, this.tier.size, field);
    const prepared = performance.now();
    progress("quality", 0.15);
    const quality = manifest.kind === "classes" ? null : assess(image, manifest.quality, field);
    const judged = performance.now();
    const read = !quality || quality.gradable;
    const logits = read ? await this.logits(pixels, (share) => progress("model", 0.3 + 0.7 * share)) : null;
    const ended = performance.now();
    const found =
      manifest.kind === "classes"
        ? classified(manifest, name, manifest.tiers[name], logits!)
        : graded(manifest, name, manifest.tiers[name], quality!, logits);
    const milliseconds = { preprocess: prepared - began, quality: judged - prepared, model: ended - judged, total: ended - began };
    return { ...found, milliseconds };
  }

  /** Reads what was drawn for the model's release. Throws ModelError where something else is found in it than then. */
  async check(source: Source): Promise<void> {
    for (const golden of this.manifest.golden.slice(0, GOLDEN_CASES)) {
      const found = await this.read(await decode(new Blob([await source(golden.file)])));
      const wrong = (what: unknown) => new ModelError(`golden case ${golden.file}: found ${String(what)}`);
      if ("found" in found && "class" in golden) {
        if (found.found !== golden.class[this.name]) throw wrong(found.found);
      } else if ("quality" in found && "gradable" in golden) {
        if (found.quality.gradable !== golden.gradable) throw wrong(found.quality.reasons[0]);
        if (found.probability === null) continue;
        if (found.referable !== golden.referable) throw wrong(found.referable);
      }
      if (!(Math.abs(found.probability! - golden.probability[this.name]) <= this.manifest.tolerance)) throw wrong(found.probability);
    }
  }

  /** Every logit of the graph, averaged over the tier's views. */
  private async logits(pixels: Raster, progress: (share: number) => void): Promise<Float64Array> {
    const views = Array.from({ length: this.tier.views ?? 1 }, (_, view) => view);
    const given = this.twin ? views.splice(Math.ceil(views.length / 2)) : [];
    const [mine, others] = await Promise.all([
      this.graph.sums(pixels, views, progress),
      given.length > 0 ? this.twin!.sums(pixels, given) : null,
    ]);
    return mine.map((sum, i) => (sum + (others?.[i] ?? 0)) / (views.length + given.length));
  }

  async close(): Promise<void> {
    this.twin?.close();
    await this.graph.close();
  }
}
