// The results of a run, as written to results.json.
import type { Machine } from "./machine.ts";
import { measured, type Metric, type Sample, type Spread, spread } from "./metrics.ts";
import type { Plan } from "./plan.ts";
import { judge, type Samples, type Verdict } from "./targets.ts";
import type { Case } from "./cases.ts";

/** One contestant in one case. */
export interface Entry {
  contestant: string;
  /** One for each round. */
  samples: Sample[];
  /** The spread of each metric over the rounds. */
  spreads: Partial<Record<Metric, Spread>>;
  /** Why it was not measured, or not for all rounds. */
  fault?: string;
}

/** One case. */
export interface Outcome {
  name: string;
  title: string;
  entries: Entry[];
  verdicts: Verdict[];
  /** Why nothing was measured. */
  missing?: string;
}

/** A run. */
export interface Results {
  date: string;
  machine: Machine;
  plan: Plan;
  outcomes: Outcome[];
}

/** The metrics of an outcome, in their order. */
export const metricsOf = ({ entries }: Outcome): Metric[] =>
  measured(entries.flatMap(({ samples }) => samples));

/** The samples of each contestant in a case. */
export const samplesOf = ({ entries }: Pick<Outcome, "entries">): Samples =>
  Object.fromEntries(entries.map(({ contestant, samples }) => [contestant, samples]));

function spreadsOf(samples: Sample[]): Entry["spreads"] {
  return Object.fromEntries(measured(samples).map((metric) => [metric, spread(samples, metric)]));
}

/** Summarises the samples of a case. */
export function outcomeOf(
  { name, title, targets }: Case,
  samples: Samples,
  faults: Map<string, string>,
): Outcome {
  const entries = Object.entries(samples).map(([contestant, samples]) => ({
    contestant,
    samples,
    spreads: spreadsOf(samples),
    fault: faults.get(contestant),
  }));
  return { name, title, entries, verdicts: judge(samples, targets) };
}

/** The outcome of a case that was not measured. */
export function missed({ name, title }: Case, missing: string): Outcome {
  return { name, title, entries: [], verdicts: [], missing };
}
