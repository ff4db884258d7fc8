// One contestant's turn: a fresh process on its core, its answers checked, ended whatever happens.
import { check } from "../check.ts";
import type { Contestant, Task } from "../contestants.ts";
import { type Cores, pinned } from "../cores.ts";
import type { Exchange } from "../exchange.ts";
import type { Sample } from "../metrics.ts";
import type { Plan } from "../plan.ts";
import { Program } from "../program.ts";

/** Who is to do what. */
export interface Trial {
  contestant: Contestant;
  task: Task;
  exchange: Exchange;
  plan: Plan;
  cores: Cores;
}

/** Measures one contestant once. */
export type Sampler = (trial: Trial) => Promise<Sample>;

/** The command that starts the contestant. */
export function commandOf({ contestant, task, cores }: Trial): string[] {
  return pinned(cores.server, contestant.command(task));
}

/** Runs `measure` on the contestant's server, once it is known to answer well. */
export async function serving(
  trial: Trial,
  pipelined: number,
  measure: (program: Program) => Promise<Sample>,
): Promise<Sample> {
  const program = await Program.start(commandOf(trial));
  try {
    await check(program.port, trial.exchange, pipelined);
    return await measure(program);
  } finally {
    await program.stop();
  }
}
