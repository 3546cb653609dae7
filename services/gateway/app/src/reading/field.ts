// Where the retina is in a photograph: services/inference/preprocess.py, of which this is the browser's edition.

import { preprocess as P } from "../specification.json";
import { type Raster, black, paste, rounded } from "./raster";
import { reduce, resize, thumbnail, whole } from "./resample";
import { mean, median, parabola, percentile, variance } from "./sums";

/** The lit field of view in pixels of the photograph; `aspect` is not 1 where somebody squeezed it. */
export interface Field {
  left: number;
  top: number;
  right: number;
  bottom: number;
  found: boolean;
  aspect: number;
}

export const widthOf = (field: Field): number => (field.right - field.left) * field.aspect;
export const heightOf = (field: Field): number => field.bottom - field.top;

export function findField(image: Raster): Field {
  const survey = surveyed(image);
  const { width, height } = survey;
  const light = new Uint8Array(width * height);
  for (let i = 0; i < light.length; i++) {
    light[i] = Math.max(survey.data[4 * i], survey.data[4 * i + 1], survey.data[4 * i + 2]);
  }
  const surround = surroundOf(light, width, height);
  const field = percentile(light, 95);
  if (field - surround <= P.NOISE || surround > P.BORDER * field) {
    return { left: 0, top: 0, right: image.width, bottom: image.height, found: false, aspect: 1 };
  }
  const limit = surround + Math.max(P.NOISE, P.LIFT * (field - surround));
  const lit = Uint8Array.from(light, (value) => (value > limit ? 1 : 0));
  const inRows = new Float64Array(height);
  const inColumns = new Float64Array(width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      inRows[y] += lit[y * width + x];
      inColumns[x] += lit[y * width + x];
    }
  }
  const rows = longestRun(Array.from(inRows, (count) => count / width >= P.CHORD), inRows);
  const columns = longestRun(columnsLit(lit, width, rows), inColumns);
  const across = image.width / width;
  const down = image.height / height;
  return {
    left: columns[0] * across,
    top: rows[0] * down,
    right: columns[1] * across,
    bottom: rows[1] * down,
    found: true,
    aspect: aspectOf(lit, width, rows),
  };
}

/** The field of view, centred in a black square of `size` pixels a side. */
export function square(image: Raster, size: number, field: Field): Raster {
  const scale = size / Math.max(widthOf(field), heightOf(field), 1);
  const width = Math.max(1, rounded(widthOf(field) * scale));
  const height = Math.max(1, rounded(heightOf(field) * scale));
  const box = [
    field.left,
    field.top,
    Math.max(field.right, field.left + 1),
    Math.max(field.bottom, field.top + 1),
  ] as const;
  const inner = resize(image, width, height, "bilinear", box, P.REDUCING_GAP);
  const canvas = black(size, size);
  paste(canvas, inner, Math.floor((size - width) / 2), Math.floor((size - height) / 2));
  return canvas;
}

function surveyed(image: Raster): Raster {
  const factor = Math.max(1, Math.floor(Math.max(image.width, image.height) / (1.5 * P.SURVEY)));
  const small = factor > 1 ? reduce(image, factor, factor) : image;
  const [width, height] = thumbnail(small.width, small.height, P.SURVEY);
  return width === small.width && height === small.height
    ? small
    : resize(small, width, height, "box", whole(small));
}

/** The second darkest of the four corners, since a tab or a logo may sit in some. */
function surroundOf(light: Uint8Array, width: number, height: number): number {
  const wide = Math.max(1, Math.floor(width / 24));
  const high = Math.max(1, Math.floor(height / 24));
  const corners = [
    [0, 0],
    [width - wide, 0],
    [0, height - high],
    [width - wide, height - high],
  ].map(([left, top]) => {
    const values: number[] = [];
    for (let y = top; y < top + high; y++) for (let x = left; x < left + wide; x++) values.push(light[y * width + x]);
    return median(values);
  });
  return corners.sort((a, b) => a - b)[1];
}

function columnsLit(lit: Uint8Array, width: number, rows: [number, number]): boolean[] {
  const flags: boolean[] = [];
  for (let x = 0; x < width; x++) {
    let count = 0;
    for (let y = rows[0]; y < rows[1]; y++) count += lit[y * width + x];
    flags.push(count / (rows[1] - rows[0]) >= P.CHORD);
  }
  return flags;
}

/** Height over width of the ellipse that the field is part of: the squared half chord is a quadratic in the row. */
function aspectOf(lit: Uint8Array, width: number, rows: [number, number]): number {
  const at: number[] = [];
  const chords: number[] = [];
  for (let y = rows[0] + 2; y < rows[1] - 2; y++) {
    const line = lit.subarray(y * width, (y + 1) * width);
    const first = line.indexOf(1);
    const last = line.lastIndexOf(1) + 1;
    if (first > 1 && last < width - 1) {
      at.push(y);
      chords.push(((last - first) / 2) ** 2);
    }
  }
  if (at.length < 40) return 1;
  const { square: bend, missed } = parabola(at, chords);
  if (bend >= 0 || variance(missed) > (1 - P.FIT) * variance(chords)) return 1;
  const aspect = (-bend) ** -0.5;
  return Math.abs(aspect - 1) > P.SQUEEZED && aspect > 0.5 && aspect < 2 ? aspect : 1;
}

/** Start and end of the run of true flags that holds most lit pixels; all of it when none is true. */
function longestRun(flags: boolean[], weight: Float64Array): [number, number] {
  let best: [number, number] = [0, flags.length];
  let most = -1;
  for (let start = 0; start < flags.length; start++) {
    if (!flags[start]) continue;
    let end = start;
    while (end < flags.length && flags[end]) end++;
    const held = mean(weight.subarray(start, end)) * (end - start);
    if (held > most) [best, most] = [[start, end], held];
    start = end;
  }
  return best;
}
