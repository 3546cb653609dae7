/** A picture as a canvas gives it: RGBA, four bytes a pixel; alpha is never looked at. */
export interface Raster {
  width: number;
  height: number;
  data: Uint8Array | Uint8ClampedArray;
}

/** Left, top, right and bottom in pixels, as in Pillow. */
export type Box = readonly [number, number, number, number];

export const black = (width: number, height: number): Raster => ({
  width,
  height,
  data: new Uint8Array(width * height * 4),
});

/** Copies all of `from` into `onto`, its upper left corner at (left, top). */
export function paste(onto: Raster, from: Raster, left: number, top: number): void {
  for (let row = 0; row < from.height; row++) {
    const line = from.data.subarray(row * from.width * 4, (row + 1) * from.width * 4);
    onto.data.set(line, ((top + row) * onto.width + left) * 4);
  }
}

/** Python's `round`: halves go to the even neighbour. */
export function rounded(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  return rest < 0.5 || (rest === 0.5 && low % 2 === 0) ? low : low + 1;
}
