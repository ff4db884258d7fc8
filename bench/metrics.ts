/** What is measured, with titles and units. */
export const metrics = {
  rate: { title: "requests/s", unit: "/s", better: "higher", digits: 0 },
  cpu: { title: "CPU µs/request", unit: "µs", better: "lower", digits: 2 },
  p50: { title: "latency p50 µs", unit: "µs", better: "lower", digits: 0 },
  p99: { title: "latency p99 µs", unit: "µs", better: "lower", digits: 0 },
  rss: { title: "RSS MiB", unit: "MiB", better: "lower", digits: 1 },
  growth: { title: "RSS KiB/connection", unit: "KiB", better: "lower", digits: 2 },
  slowdown: { title: "p50 ÷ p50 without them", unit: "", better: "lower", digits: 2 },
  start: { title: "start to first answer ms", unit: "ms", better: "lower", digits: 1 },
  library: { title: "library KiB", unit: "KiB", better: "lower", digits: 1 },
  idle: { title: "CPU % idle", unit: "%", better: "lower", digits: 2 },
  switches: { title: "wake-ups/s idle", unit: "/s", better: "lower", digits: 1 },
} as const satisfies Record<string, Definition>;

interface Definition {
  title: string;
  unit: string;
  better: "higher" | "lower";
  digits: number;
}

/** The name of a metric. */
export type Metric = keyof typeof metrics;

/** The figures of one contestant in one round. */
export type Sample = Partial<Record<Metric, number>>;

/** The metrics that at least one of the samples has, in the order of the table above. */
export function measured(samples: Sample[]): Metric[] {
  return (Object.keys(metrics) as Metric[])
    .filter((metric) => samples.some((sample) => sample[metric] !== undefined));
}

/** A metric over several rounds. */
export interface Spread {
  /** The middle value; of an even number, the mean of the two in the middle. */
  median: number;
  /** The smallest. */
  least: number;
  /** The greatest. */
  most: number;
}

/** The spread of a metric over the rounds that have it; `undefined` if none does. */
export function spread(samples: Sample[], metric: Metric): Spread | undefined {
  const values = samples.map((sample) => sample[metric])
    .filter((value) => value !== undefined).sort((a, b) => a - b);
  if (values.length === 0) {
    return undefined;
  }
  const middle = (values[(values.length - 1) >> 1] + values[values.length >> 1]) / 2;
  return { median: middle, least: values[0], most: values.at(-1)! };
}

/** Formats a figure with the digits and grouping that suit its metric. */
export function show(metric: Metric, value: number): string {
  const { digits } = metrics[metric];
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return value.toLocaleString("en", options);
}
