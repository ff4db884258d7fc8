// Detects growth.

/** A line through points, by least squares. */
export interface Trend {
  /** Per unit of x. */
  slope: number;
  /** The 95 % confidence interval of the slope is ± this; infinite for too few points. */
  margin: number;
}

interface Point {
  x: number;
  y: number;
}

const LEAST = 6;
const BLOCKS = 12;

/** Student's t for 97.5 %, by its expansion around the normal distribution. */
function student(freedom: number): number {
  const z = 1.959964;
  return z + (z ** 3 + z) / (4 * freedom) +
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2);
}

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Means of blocks: memory moves in waves, but the points of a regression must be independent. */
function blocks(points: Point[]): Point[] {
  const count = Math.min(BLOCKS, points.length);
  return Array.from({ length: count }, (_, i) => {
    const block = points.slice(i * points.length / count, (i + 1) * points.length / count);
    return { x: mean(block.map(({ x }) => x)), y: mean(block.map(({ y }) => y)) };
  });
}

/** The trend of points in order of x. */
export function trendOf(points: Point[]): Trend {
  const all = blocks(points);
  const [x0, y0] = [mean(all.map(({ x }) => x)), mean(all.map(({ y }) => y))];
  const spread = all.reduce((sum, { x }) => sum + (x - x0) ** 2, 0);
  const slope = all.reduce((sum, { x, y }) => sum + (x - x0) * (y - y0), 0) / spread;
  const rest = all.reduce((sum, { x, y }) => sum + (y - y0 - slope * (x - x0)) ** 2, 0);
  const freedom = all.length - 2;
  return all.length < LEAST
    ? { slope: 0, margin: Infinity }
    : { slope, margin: student(freedom) * Math.sqrt(rest / freedom / spread) };
}
