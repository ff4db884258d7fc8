import process from "node:process";
import { type Count, inWords, none, sum } from "./count.ts";
import { run } from "./run.ts";

export interface Stage {
  name: string;
  command: string[];
  /** Counts the tests it ran; a stage without it counts as one. */
  count?: (output: string) => Count;
  /** Preparation for others rather than a test: counts only when it fails. */
  isSetUp?: boolean;
}

const oneFailed: Count = { ...none, failed: 1 };

function judge(stage: Stage, well: boolean, output: string): Count {
  const found = stage.count?.(output) ?? none;
  if (!well) return found.failed > 0 ? found : sum(found, oneFailed);
  if (stage.isSetUp) return none;
  if (!stage.count) return { ...none, passed: 1 };
  return found.passed + found.failed > 0 ? found : oneFailed; // running no test is a failure
}

/** Runs all stages even if some fail, and prints the output of those. Ends with the total. */
export async function runStages(stages: Stage[]): Promise<number> {
  let total = none;
  for (const stage of stages) {
    process.stdout.write(stage.name.padEnd(24));
    const start = performance.now();
    const { well, output } = await run(stage.command);
    const count = judge(stage, well, output);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(`${stage.isSetUp && well ? "done" : inWords(count)} (${seconds} s)`);
    if (count.failed > 0) console.log(output || "It said nothing, and ran no test.");
    total = sum(total, count);
  }
  console.log(inWords(total));
  return total.failed > 0 || total.passed === 0 ? 1 : 0;
}

// Ends the running stage as well, which is outside the terminal's process group.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));
