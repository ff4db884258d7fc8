// The order of things: case by case, round by round, contestant by contestant.
import type { Case } from "./cases.ts";
import { type Contestant, contestant } from "./contestants.ts";
import type { Cores } from "./cores.ts";
import type { Plan } from "./plan.ts";
import { missed, type Outcome, outcomeOf } from "./results.ts";
import type { Samples } from "./targets.ts";

/** Measures the cases, and tells of each once it is done. */
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
  const samples: Samples = Object.fromEntries(takingPart.map(({ name }) => [name, []]));
  const faults = new Map<string, string>();
  for (let round = 0; round < roundsOf(one, plan) && performance.now() < end; round++) {
    await runRound(one, inTurn(takingPart, round), plan, cores, samples, faults);
  }
  const isEmpty = faults.size === 0 && Object.values(samples).every(({ length }) => length === 0);
  return isEmpty ? missed(one, "not measured: the time was up") : outcomeOf(one, samples, faults);
}

/** A quick run leaves out those who are there for orientation only. */
function isChosen({ name, role }: Contestant, { only, quick }: Plan): boolean {
  return only.length > 0 ? only.includes(name) : !(quick && role === "other");
}

function roundsOf({ rounds }: Case, plan: Plan): number {
  return rounds === undefined ? plan.rounds : rounds[plan.quick ? 1 : 0];
}

/** Each round begins with another one, so that none is always the one after a hot or cold core. */
function inTurn(contestants: Contestant[], round: number): Contestant[] {
  const first = round % contestants.length;
  return [...contestants.slice(first), ...contestants.slice(0, first)];
}

async function runRound(
  one: Case,
  contestants: Contestant[],
  plan: Plan,
  cores: Cores,
  samples: Samples,
  faults: Map<string, string>,
): Promise<void> {
  const { exchange, handler, idle } = one;
  const task = { handler, idle, answer: exchange.answer };
  for (const contestant of contestants) {
    try {
      samples[contestant.name].push(
        await one.sample({ contestant, task, exchange, plan, cores }),
      );
    } catch (error) {
      faults.set(contestant.name, (error as Error).message);
    }
  }
}
