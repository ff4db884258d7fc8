// The cost of a server with nothing to do: start, memory, processor time.
import { statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { check } from "../check.ts";
import { Program } from "../program.ts";
import { afresh, commandOf } from "./trial.ts";

const library = join(import.meta.dirname!, "../../zig-out/lib/libbjoern.so");
/** Milliseconds for the garbage of the start to be collected. */
const SETTLE = 500;

/** From process start to first answer: how long a restarted server is unavailable. */
export const start = afresh(async (trial) => {
  const begin = performance.now();
  const program = await Program.start(commandOf(trial));
  try {
    await check(program.port, trial.exchange, 1);
    return { start: performance.now() - begin };
  } finally {
    await program.stop();
  }
});

/** Memory after one answer; a bare runtime has nothing to answer. */
export const footprint = afresh(async (trial) => {
  const { role } = trial.contestant;
  const program = await Program.start(commandOf(trial));
  try {
    if (role !== "bare") {
      await check(program.port, trial.exchange, 1);
    }
    await pause(SETTLE);
    const rss = program.memory;
    return role === "ours" ? { rss, library: statSync(library).size / 1024 } : { rss };
  } finally {
    await program.stop();
  }
});

/** Processor time of an idle server that has answered once. */
export const still = afresh(async (trial) => {
  const program = await Program.start(commandOf(trial));
  try {
    await check(program.port, trial.exchange, 1);
    await pause(SETTLE);
    const [cpu, woken, begin] = [program.cpu, program.wakeUps, performance.now()];
    await pause(trial.plan.quick ? 1000 : 3000);
    const seconds = (performance.now() - begin) / 1000;
    return {
      idle: (program.cpu - cpu) / seconds / 1e4,
      switches: (program.wakeUps - woken) / seconds,
    };
  } finally {
    await program.stop();
  }
});

/** Processor time per request of a server that sleeps between its few requests. */
export const trickle = afresh(async (trial) => {
  const program = await Program.start(commandOf(trial));
  const count = trial.plan.quick ? 50 : 150;
  try {
    await check(program.port, trial.exchange, 1);
    await pause(SETTLE);
    const cpu = program.cpu;
    for (let i = 0; i < count; i++) {
      await check(program.port, trial.exchange, 1);
      await pause(15);
    }
    return { cpu: (program.cpu - cpu) / count };
  } finally {
    await program.stop();
  }
});
