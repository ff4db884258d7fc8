// A contestant in a case: a process on its core, its answers checked, always ended.
import { check } from "../check.ts";
import type { Contestant, Task } from "../contestants.ts";
import { type Cores, pinned } from "../cores.ts";
import type { Exchange } from "../exchange.ts";
import type { Sample } from "../metrics.ts";
import type { Plan } from "../plan.ts";
import { Program } from "../program.ts";

/** A contestant and its task. */
export interface Trial {
  contestant: Contestant;
  task: Task;
  exchange: Exchange;
  plan: Plan;
  cores: Cores;
}

/** A contestant that is ready. */
export interface Entrant {
  /** Measures it for one round. */
  sample(): Promise<Sample>;
  /** Ends it. */
  leave(): Promise<void>;
}

/** Prepares a contestant. Throws if something is wrong with it. */
export type Sampler = (trial: Trial) => Promise<Entrant>;

/** The command that starts the contestant. */
export function commandOf({ contestant, task, cores }: Trial): string[] {
  return pinned(cores.server, contestant.command(task));
}

/** A sampler that restarts the contestant in each round. */
export function afresh(sample: (trial: Trial) => Promise<Sample>): Sampler {
  return (trial) =>
    Promise.resolve({ sample: () => sample(trial), leave: () => Promise.resolve() });
}

/** Starts the contestant's server, and ends it if its answers are wrong or `ready` fails. */
export async function started(
  trial: Trial,
  pipelined: number,
  ready: (program: Program) => Promise<unknown>,
): Promise<Program> {
  const program = await Program.start(commandOf(trial));
  try {
    await check(program.port, trial.exchange, pipelined);
    await ready(program);
    return program;
  } catch (error) {
    await program.stop();
    throw error;
  }
}
