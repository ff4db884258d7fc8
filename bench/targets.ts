// The targets for bjoern, and whether it meets them.
import { contestant, contestants } from "./contestants.ts";
import { type Metric, metrics, type Sample, show, spread } from "./metrics.ts";

/** A figure that bjoern should reach on each runtime. */
export interface Target {
  metric: Metric;
  /**
   * What it is compared with: the better of Bun.serve and Deno.serve, the floor, the same runtime's
   * own server or bare program; absent for an absolute figure.
   */
  than?: "peer" | "floor" | "own" | "bare";
  /** The bound of a ratio, a difference or an absolute figure. */
  atLeast?: number;
  atMost?: number;
  /** Whether to compare by difference rather than by ratio. */
  difference?: boolean;
}

/** The result for one target. */
export interface Verdict {
  contestant: string;
  target: Target;
  /** The ratio, difference or figure. */
  value: number;
  met: boolean;
}

/** Samples by contestant. */
export type Samples = Record<string, Sample[]>;

const median = (samples: Samples, name: string, metric: Metric) =>
  spread(samples[name] ?? [], metric)?.median;

/** The contestants that a target compares `name` with. */
function others(than: Target["than"], name: string): string[] {
  const { runtime } = contestant(name);
  return contestants.filter(({ role, runtime: other }) =>
    than === "own"
      ? role === "peer" && other === runtime
      : role === than && (than !== "bare" || other === runtime)
  ).map(({ name }) => name);
}

/** The best of the contestants that a figure is compared with; `undefined` if none was measured. */
export function reference(
  samples: Samples,
  metric: Metric,
  than: Target["than"],
  name: string,
): number | undefined {
  const values = others(than, name).map((other) => median(samples, other, metric))
    .filter((value) => value !== undefined);
  const best = metrics[metric].better === "higher" ? Math.max : Math.min;
  return values.length > 0 ? best(...values) : undefined;
}

/** A contestant's median as a ratio to a reference. */
export function ratio(
  samples: Samples,
  metric: Metric,
  than: Target["than"],
  name: string,
): number | undefined {
  const [own, other] = [median(samples, name, metric), reference(samples, metric, than, name)];
  return own === undefined || !other ? undefined : own / other;
}

function valueOf(samples: Samples, { metric, than, difference }: Target, name: string) {
  const own = median(samples, name, metric);
  if (than === undefined || own === undefined) {
    return own;
  }
  const other = reference(samples, metric, than, name);
  return difference && other !== undefined ? own - other : ratio(samples, metric, than, name);
}

/** Judges bjoern on both runtimes; skips what was not measured. */
export function judge(samples: Samples, targets: Target[]): Verdict[] {
  const ours = contestants.filter(({ role }) => role === "ours");
  return targets.flatMap((target) =>
    ours.flatMap(({ name }) => {
      const value = valueOf(samples, target, name);
      const { atLeast = -Infinity, atMost = Infinity } = target;
      return value === undefined
        ? []
        : [{ contestant: name, target, value, met: value >= atLeast && value <= atMost }];
    })
  );
}

const names = {
  peer: "the better peer",
  floor: "the floor",
  own: "the runtime's own",
  bare: "bare",
};

/** A target in words. */
export function describe({ metric, than, atLeast, atMost, difference }: Target): string {
  const value = Number((atLeast ?? atMost ?? 0).toFixed(3));
  const limit = `at ${atLeast === undefined ? "most" : "least"} ${value}`;
  const { title, unit } = metrics[metric];
  if (than === undefined) {
    return `${title}: ${limit}${unit && ` ${unit}`}`;
  }
  return `${title}: ${limit} ${difference ? `${unit} over` : "×"} ${names[than]}`;
}

/** A verdict's value in the same terms. */
export function valueText({ target: { metric, than, difference }, value }: Verdict): string {
  return than !== undefined && !difference ? `${value.toFixed(2)} ×` : show(metric, value);
}
