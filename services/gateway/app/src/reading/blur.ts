// Pillow's Gaussian blur of one channel: three box blurs of fractional width in each direction, in fixed point
// (extended box filter: Gwosdek et al. 2011).

const PASSES = 3;

/** `ImageFilter.GaussianBlur(sigma)` of a square channel of `side` × `side` pixels. */
export function blurred(channel: Uint8Array, side: number, sigma: number): Uint8Array {
  const radius = boxRadius(sigma);
  let out = channel;
  for (let turn = 0; turn < 2; turn++) {
    for (let pass = 0; pass < PASSES; pass++) out = boxBlurred(out, side, radius);
    out = transposed(out, side);
  }
  return out;
}

function boxRadius(sigma: number): number {
  const f = Math.fround;
  const variance = f(f(f(sigma) * f(sigma)) / PASSES);
  const length = f(Math.sqrt(12 * variance + 1));
  const whole = f(Math.floor((length - 1) / 2));
  const rest = f(f(f(2 * whole + 1) * f(whole * (whole + 1) - f(3 * variance))) / f(6 * f(variance - f((whole + 1) * (whole + 1)))));
  return f(whole + rest);
}

function boxBlurred(channel: Uint8Array, side: number, radius: number): Uint8Array {
  const out = new Uint8Array(side * side);
  const whole = Math.trunc(radius);
  const inner = Math.trunc(Math.fround(2 ** 24 / Math.fround(radius * 2 + 1)));
  const outer = Math.trunc((2 ** 24 - (whole * 2 + 1) * inner) / 2);
  const last = side - 1;
  for (let row = 0; row < side; row++) {
    const base = row * side;
    const at = (x: number) => channel[base + Math.min(Math.max(x, 0), last)];
    let sum = 0;
    for (let x = -whole - 1; x < whole; x++) sum += at(x);
    for (let x = 0; x < side; x++) {
      sum += at(x + whole) - at(x - whole - 1);
      out[base + x] = Math.floor((sum * inner + (at(x - whole - 1) + at(x + whole + 1)) * outer + 2 ** 23) / 2 ** 24);
    }
  }
  return out;
}

function transposed(channel: Uint8Array, side: number): Uint8Array {
  const out = new Uint8Array(side * side);
  for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) out[x * side + y] = channel[y * side + x];
  return out;
}
