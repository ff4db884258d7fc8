// Runs the suite: case by case, round by round, contestant by contestant.
import type { Case } from "./cases.ts";
import { type Contestant, contestant } from "./contestants.ts";
import type { Cores } from "./cores.ts";
import type { Plan } from "./plan.ts";
import { missed, type Outcome, outcomeOf } from "./results.ts";
import type { Entrant } from "./samples/trial.ts";
import type { Samples } from "./targets.ts";

/** Measures the cases, and reports each one as soon as it is done. */
export async function runAll(
  cases: Case[],
  plan: Plan,
  cores: Cores,
  tell: (outcome: Outcome) => void,
): Promise<Outcome[]> {
  const end = performance.now() + plan.minutes * 60_000;
  const outcomes: Outcome[] = [];
  for (const one of cases) {
    const outcome = await runCase(one, plan, cores, end);
    tell(outcome);
    outcomes.push(outcome);
  }
  return outcomes;
}

async function runCase(one: Case, plan: Plan, cores: Cores, end: number): Promise<Outcome> {
  const takingPart = one.contestants.map(contestant).filter((other) => isChosen(other, plan));
  if (one.missing !== undefined) {
    return missed(one, `not available: ${one.missing}`);
  }
  if (takingPart.length === 0) {
    return missed(one, "none of the chosen contestants takes part");
  }
  if (performance.now() >= end) {
    return missed(one, "not measured: the time was up");
  }
  const samples: Samples = Object.fromEntries(takingPart.map(({ name }) => [name, []]));
  const faults = new Map<string, string>();
  const ready: Ready[] = [];
  try {
    for (const contestant of takingPart) {
      await noting(faults, contestant.name, async () => {
        ready.push({ name: contestant.name, entrant: await enter(one, contestant, plan, cores) });
      });
    }
    for (let round = 0; round < roundsOf(one, plan) && performance.now() < end; round++) {
      for (const { name, entrant } of inTurn(ready, round)) {
        await noting(faults, name, async () => samples[name].push(await entrant.sample()));
      }
    }
  } finally {
    await Promise.all(ready.map(({ entrant }) => entrant.leave()));
  }
  return outcomeOf(one, samples, faults);
}

/** A contestant that is ready to be measured. */
interface Ready {
  name: string;
  entrant: Entrant;
}

function enter(one: Case, contestant: Contestant, plan: Plan, cores: Cores): Promise<Entrant> {
  const { exchange, handler, idle, sample } = one;
  const task = { handler, idle, answer: exchange.answer };
  return sample({ contestant, task, exchange, plan, cores });
}

/** Records an error of one contestant, so that the others go on. */
async function noting(faults: Map<string, string>, name: string, act: () => Promise<unknown>) {
  try {
    await act();
  } catch (error) {
    faults.set(name, (error as Error).message);
  }
}

/** A quick run skips contestants that serve only for orientation. */
function isChosen({ name, role }: Contestant, { only, quick }: Plan): boolean {
  return only.length > 0 ? only.includes(name) : !(quick && role === "other");
}

function roundsOf({ rounds }: Case, plan: Plan): number {
  return rounds === undefined ? plan.rounds : rounds[plan.quick ? 1 : 0];
}

/** Each round begins with another contestant, so that none is always the first or the last. */
function inTurn(contestants: Ready[], round: number): Ready[] {
  const first = round % contestants.length;
  return [...contestants.slice(first), ...contestants.slice(0, first)];
}
