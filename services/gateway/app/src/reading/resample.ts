// Resampling as Pillow does it, to the last bit: the server prepares photographs with Pillow, and a model answers to
// what its pixels are. Method: two passes of fixed-point weights (22 bits), after a reduction by whole pixels.

import type { Box, Raster } from "./raster";

export type Filter = "box" | "bilinear";

const SUPPORT = { box: 0.5, bilinear: 1.0 };
const PRECISION = 22;

interface Weights {
  first: Int32Array;
  count: Int32Array;
  weights: Int32Array;
  stride: number;
}

/** `Image.reduce`: means of cells of `across` × `down` pixels of `box`; cells at its right and lower edge may be cut. */
export function reduce(image: Raster, across: number, down: number, box: Box = whole(image)): Raster {
  const [left, top, right, bottom] = box;
  const width = Math.ceil((right - left) / across);
  const height = Math.ceil((bottom - top) / down);
  const out = new Uint8Array(width * height * 4);
  const source = image.data;
  for (let row = 0; row < height; row++) {
    const y0 = top + row * down;
    const y1 = Math.min(y0 + down, bottom);
    for (let column = 0; column < width; column++) {
      const x0 = left + column * across;
      const x1 = Math.min(x0 + across, right);
      const count = (x1 - x0) * (y1 - y0);
      let red = count >> 1;
      let green = red;
      let blue = red;
      for (let y = y0; y < y1; y++) {
        let at = (y * image.width + x0) * 4;
        for (let x = x0; x < x1; x++, at += 4) {
          red += source[at];
          green += source[at + 1];
          blue += source[at + 2];
        }
      }
      // Pillow divides by a reciprocal of 24 bits that it works out in single precision.
      const reciprocal = Math.floor(Math.fround(2 ** 32 / Math.fround(256 * count))) / 2 ** 24;
      const to = (row * width + column) * 4;
      out[to] = red * reciprocal;
      out[to + 1] = green * reciprocal;
      out[to + 2] = blue * reciprocal;
      out[to + 3] = 255;
    }
  }
  return { width, height, data: out };
}

/** `Image.resize`: `box` of an image as `width` × `height` pixels; with a `gap`, from a copy that was first reduced by
 * whole pixels to at least `gap` times that size. */
export function resize(image: Raster, width: number, height: number, filter: Filter, box: Box, gap?: number): Raster {
  if (gap !== undefined) {
    const across = Math.floor((box[2] - box[0]) / width / gap) || 1;
    const down = Math.floor((box[3] - box[1]) / height / gap) || 1;
    if (across > 1 || down > 1) {
      const safe = reach(image, width, height, filter, box);
      image = reduce(image, across, down, safe);
      box = [
        (box[0] - safe[0]) / across,
        (box[1] - safe[1]) / down,
        (box[2] - safe[0]) / across,
        (box[3] - safe[1]) / down,
      ];
    }
  }
  const columns = weigh(image.width, box[0], box[2], width, filter);
  const rows = weigh(image.height, box[1], box[3], height, filter);
  return vertically(horizontally(image, columns, width, rows), rows, height);
}

/** The size that `Image.thumbnail` gives a picture so that no side is longer than `longest`. */
export function thumbnail(width: number, height: number, longest: number): [number, number] {
  if (longest >= width && longest >= height) return [width, height];
  const aspect = width / height;
  if (aspect <= 1) return [nearest(longest * aspect, (n) => Math.abs(aspect - n / longest)), longest];
  return [longest, nearest(longest / aspect, (n) => (n === 0 ? 0 : Math.abs(aspect - longest / n)))];
}

export const whole = (image: Raster): Box => [0, 0, image.width, image.height];

function nearest(value: number, miss: (n: number) => number): number {
  const low = Math.floor(value);
  const high = Math.ceil(value);
  return Math.max(miss(high) < miss(low) ? high : low, 1);
}

/** The whole pixels that a resampling of `box` may touch. */
function reach(image: Raster, width: number, height: number, filter: Filter, box: Box): Box {
  const beyond = SUPPORT[filter] - 0.5;
  const across = (beyond * (box[2] - box[0])) / width;
  const down = (beyond * (box[3] - box[1])) / height;
  return [
    Math.max(0, Math.trunc(box[0] - across)),
    Math.max(0, Math.trunc(box[1] - down)),
    Math.min(image.width, Math.ceil(box[2] + across)),
    Math.min(image.height, Math.ceil(box[3] + down)),
  ];
}

function weigh(size: number, start: number, end: number, out: number, filter: Filter): Weights {
  const from = Math.fround(start);
  const scale = Math.fround(Math.fround(end) - from) / out;
  const stretch = Math.max(scale, 1);
  const support = SUPPORT[filter] * stretch;
  const stride = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(out);
  const count = new Int32Array(out);
  const weights = new Int32Array(out * stride);
  const raw = new Float64Array(stride);
  for (let i = 0; i < out; i++) {
    const centre = from + (i + 0.5) * scale;
    first[i] = Math.max(0, Math.trunc(centre - support + 0.5));
    count[i] = Math.min(size, Math.trunc(centre + support + 0.5)) - first[i];
    let sum = 0;
    for (let k = 0; k < count[i]; k++) {
      raw[k] = response((k + first[i] - centre + 0.5) / stretch, filter);
      sum += raw[k];
    }
    for (let k = 0; k < count[i]; k++) weights[i * stride + k] = Math.trunc(0.5 + (raw[k] / (sum || 1)) * 2 ** PRECISION);
  }
  return { first, count, weights, stride };
}

function response(x: number, filter: Filter): number {
  if (filter === "box") return x > -0.5 && x <= 0.5 ? 1 : 0;
  return Math.max(0, 1 - Math.abs(x));
}

function horizontally(image: Raster, columns: Weights, width: number, rows: Weights): Raster {
  const out = new Uint8Array(width * image.height * 4);
  const source = image.data;
  const last = rows.first.length - 1;
  const bottom = rows.first[last] + rows.count[last];
  for (let y = rows.first[0]; y < bottom; y++) {
    for (let x = 0; x < width; x++) {
      let red = 1 << (PRECISION - 1);
      let green = red;
      let blue = red;
      let at = (y * image.width + columns.first[x]) * 4;
      for (let k = x * columns.stride, end = k + columns.count[x]; k < end; k++, at += 4) {
        const weight = columns.weights[k];
        red += source[at] * weight;
        green += source[at + 1] * weight;
        blue += source[at + 2] * weight;
      }
      const to = (y * width + x) * 4;
      out[to] = clipped(red);
      out[to + 1] = clipped(green);
      out[to + 2] = clipped(blue);
      out[to + 3] = 255;
    }
  }
  return { width, height: image.height, data: out };
}

function vertically(image: Raster, rows: Weights, height: number): Raster {
  const width = image.width;
  const out = new Uint8Array(width * height * 4);
  const source = image.data;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let red = 1 << (PRECISION - 1);
      let green = red;
      let blue = red;
      let at = (rows.first[y] * width + x) * 4;
      for (let k = y * rows.stride, end = k + rows.count[y]; k < end; k++, at += width * 4) {
        const weight = rows.weights[k];
        red += source[at] * weight;
        green += source[at + 1] * weight;
        blue += source[at + 2] * weight;
      }
      const to = (y * width + x) * 4;
      out[to] = clipped(red);
      out[to + 1] = clipped(green);
      out[to + 2] = clipped(blue);
      out[to + 3] = 255;
    }
  }
  return { width, height, data: out };
}

const clipped = (sum: number): number => Math.min(255, sum >> PRECISION);

