// The quality gate: services/inference/quality.py, of which this is the browser's edition.

import { quality as Q } from "../specification.json";
import { blurred } from "./blur";
import { type Field, heightOf, square, widthOf } from "./field";
import type { Gate, Logistic } from "./manifest";
import type { Raster } from "./raster";
import { mean, percentile, variance } from "./sums";

export interface Quality {
  gradable: boolean;
  score: number;
  reasons: string[];
}

export function assess(image: Raster, gate: Gate, field: Field): Quality {
  const values = statistics(square(image, Q.SIDE, field));
  const retina = probability(values, gate.retina);
  const gradable = probability(values, gate.gradable);
  if (retina < gate.retina.threshold) {
    return { gradable: false, score: Math.min(retina, gradable), reasons: ["quality-not-retina"] };
  }
  const reasons: string[] = [];
  if (Math.max(widthOf(field), heightOf(field)) < gate.smallest_field) reasons.push("quality-small");
  if (gradable < gate.gradable.threshold || beyond(values, gate.gradable)) reasons.push(reason(values, gate.gradable));
  return { gradable: reasons.length === 0, score: gradable, reasons };
}

/** The statistics that the specification names, of a square with the field in its middle. */
export function statistics(pixels: Raster): Float64Array {
  const { data } = pixels;
  const count = Q.SIDE ** 2;
  const green = new Uint8Array(count);
  const light = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    green[i] = data[4 * i + 1];
    light[i] = (data[4 * i] + data[4 * i + 1] + data[4 * i + 2]) / 3;
  }
  const [fine, middle, coarse] = [1, 3, 8].map((sigma) => blurred(green, Q.SIDE, sigma));
  const level = (i: number) => coarse[i] + 8;
  const vessels = Float64Array.from(green, (_, i) => Math.abs(fine[i] - middle[i]) / level(i));
  const { inside, corners, rim } = regions();
  const over = (places: number[], value: (i: number) => number) => mean(places.map(value));
  const brightest = (i: number) => Math.max(data[4 * i], data[4 * i + 1], data[4 * i + 2]);
  const darkest = (i: number) => Math.min(data[4 * i], data[4 * i + 1], data[4 * i + 2]);
  const share = (i: number, channel: number) => (data[4 * i + channel] + 2) / (3 * light[i] + 6);
  const soft = inside.map((i) => coarse[i]);
  const low = percentile(soft, 10);
  const high = percentile(soft, 90);
  const blocks = blockMeans(vessels, inside);
  const logarithm = (value: number) => Math.log(value + 1e-3);
  const found: Record<string, number> = {
    brightness: Math.log(over(inside, (i) => light[i]) + 1),
    dark_share: over(inside, (i) => (brightest(i) < 24 ? 1 : 0)),
    bright_share: over(inside, (i) => (darkest(i) > 200 ? 1 : 0)) + over(inside, (i) => (green[i] > 235 ? 1 : 0)),
    unevenness: Math.log((high + 4) / (low + 4)),
    fine_contrast: logarithm(over(inside, (i) => Math.abs(green[i] - fine[i]) / level(i))),
    vessel_contrast: logarithm(over(inside, (i) => vessels[i])),
    coarse_contrast: logarithm(over(inside, (i) => Math.abs(middle[i] - coarse[i]) / level(i))),
    sharpest_blocks: logarithm(percentile(blocks, 85)),
    dullest_blocks: logarithm(percentile(blocks, 20)),
    red_share: over(inside, (i) => share(i, 0)),
    blue_share: over(inside, (i) => share(i, 2)),
    colour_spread: Math.sqrt(variance(inside.map((i) => share(i, 0)))),
    saturation: over(inside, (i) => (brightest(i) - darkest(i)) / (brightest(i) + 2)),
    lit_corners: over(corners, (i) => (light[i] > 24 ? 1 : 0)),
    dark_rim: over(rim, (i) => (light[i] < 16 ? 1 : 0)),
  };
  return Float64Array.from(Q.STATISTICS, (name) => found[name]);
}

/** Places of the field, of the corners outside it, and of the field's outer ring left and right. */
function regions(): { inside: number[]; corners: number[]; rim: number[] } {
  const inside: number[] = [];
  const corners: number[] = [];
  const rim: number[] = [];
  const off = (n: number) => (n - (Q.SIDE - 1) / 2) / Q.SIDE;
  for (let y = 0; y < Q.SIDE; y++) {
    for (let x = 0; x < Q.SIDE; x++) {
      const radius = Math.sqrt(off(x) ** 2 + off(y) ** 2);
      const at = y * Q.SIDE + x;
      if (radius < 0.46 && Math.abs(off(y)) < 0.38) inside.push(at);
      if (radius > 0.53) corners.push(at);
      if (radius > 0.36 && radius < 0.46 && Math.abs(off(y)) < 0.25) rim.push(at);
    }
  }
  return { inside, corners, rim };
}

/** Mean contrast of the blocks that lie mostly within the field. */
function blockMeans(contrast: Float64Array, inside: number[]): number[] {
  const across = Q.SIDE / Q.BLOCK;
  const sums = new Float64Array(across ** 2);
  const counts = new Float64Array(across ** 2);
  for (const at of inside) {
    const block = Math.floor(Math.floor(at / Q.SIDE) / Q.BLOCK) * across + Math.floor((at % Q.SIDE) / Q.BLOCK);
    sums[block] += contrast[at];
    counts[block]++;
  }
  const means: number[] = [];
  sums.forEach((sum, block) => {
    if (counts[block] / Q.BLOCK ** 2 > 0.6) means.push(sum / counts[block]);
  });
  return means;
}

function probability(values: Float64Array, model: Logistic): number {
  let logit = model.intercept;
  values.forEach((value, i) => {
    const held = Math.min(Math.max(value, model.low[i]), model.high[i]);
    const z = (held - model.mean[i]) / model.deviation[i];
    logit += z * model.linear[i] + z * z * model.square[i];
  });
  return 1 / (1 + Math.exp(-Math.max(-40, Math.min(40, logit))));
}

function beyond(values: Float64Array, model: Logistic): boolean {
  return Q.BOUNDED.some((name) => {
    const i = Q.STATISTICS.indexOf(name);
    return values[i] < model.seen_low![i] || values[i] > model.seen_high![i];
  });
}

function reason(values: Float64Array, model: Logistic): string {
  for (const [name, side, message] of Q.SIGNS) {
    const i = Q.STATISTICS.indexOf(name);
    if (side === "low" ? values[i] < model.usual_low![i] : values[i] > model.usual_high![i]) return message;
  }
  return "quality-blurred";
}
