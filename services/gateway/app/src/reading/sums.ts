/** `numpy.percentile` with linear interpolation. */
export function percentile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  const place = (share / 100) * (sorted.length - 1);
  const low = Math.floor(place);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (place - low);
}

export const median = (values: ArrayLike<number>): number => percentile(values, 50);

export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}

/** Variance of all there is, not of a sample. */
export function variance(values: ArrayLike<number>): number {
  const middle = mean(values);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] - middle) ** 2;
  return sum / values.length;
}

/** Least squares: the coefficients of x², x and 1, and what the curve misses at each point. */
export function parabola(x: ArrayLike<number>, y: ArrayLike<number>): { square: number; missed: Float64Array } {
  const centre = mean(x);
  const spread = Math.sqrt(variance(x)) || 1;
  const system = [new Float64Array(4), new Float64Array(4), new Float64Array(4)];
  for (let i = 0; i < x.length; i++) {
    const t = (x[i] - centre) / spread;
    const powers = [t * t, t, 1];
    for (let r = 0; r < 3; r++) {
      for (let c = 0; c < 3; c++) system[r][c] += powers[r] * powers[c];
      system[r][3] += powers[r] * y[i];
    }
  }
  const [a, b, c] = solved(system);
  const missed = Float64Array.from(x, (value, i) => {
    const t = (value - centre) / spread;
    return y[i] - (a * t * t + b * t + c);
  });
  return { square: a / spread ** 2, missed };
}

/** Gauss-Jordan elimination with row exchange of three equations. */
function solved(system: Float64Array[]): number[] {
  for (let pivot = 0; pivot < 3; pivot++) {
    let best = pivot;
    for (let r = pivot + 1; r < 3; r++) if (Math.abs(system[r][pivot]) > Math.abs(system[best][pivot])) best = r;
    [system[pivot], system[best]] = [system[best], system[pivot]];
    for (let r = 0; r < 3; r++) {
      if (r === pivot) continue;
      const times = system[r][pivot] / system[pivot][pivot];
      for (let c = pivot; c < 4; c++) system[r][c] -= times * system[pivot][c];
    }
  }
  return system.map((row, i) => row[3] / row[i]);
}
