// `npm run bench`: the suite; see `npm run bench -- --help`.
import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import process from "node:process";
import { type Case, cases } from "./cases.ts";
import { chart } from "./chart.ts";
import { build, contestants } from "./contestants.ts";
import { takeCores } from "./cores.ts";
import { machine } from "./machine.ts";
import { type Metric, metrics } from "./metrics.ts";
import { help, type Plan, planOf } from "./plan.ts";
import type { Results } from "./results.ts";
import { runAll } from "./run.ts";
import { outcomeText, resultsText } from "./table.ts";
import { wrkVersion } from "./wrk.ts";

/** Writes a run to a folder of its own: a run of a few cases must not overwrite a run of all. */
function write(results: Results): string {
  const stamp = results.date.slice(0, 19).replaceAll(":", "-");
  const folder = join(import.meta.dirname!, "results", stamp);
  mkdirSync(folder, { recursive: true });
  const charts = (Object.keys(metrics) as Metric[]).flatMap((metric) => {
    const svg = chart(results, metric);
    return svg === undefined ? [] : [{ name: `${metric}.svg`, svg }];
  });
  for (const { name, svg } of charts) {
    writeFileSync(join(folder, name), svg);
  }
  const text = resultsText(results, charts.map(({ name }) => name));
  writeFileSync(join(folder, "results.json"), `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(join(folder, "results.md"), text);
  return folder;
}

function list(): string {
  const names = [...cases, ...contestants].map(({ name, title }) => `  ${name.padEnd(22)}${title}`);
  names.splice(cases.length, 0, "\nContestants:");
  return ["Cases:", ...names].join("\n");
}

/** The cases that were asked for. Throws a TypeError for a name that no case begins with. */
function chosen({ names, only }: Plan): Case[] {
  const unknown = [
    ...names.filter((name) => !cases.some((one) => one.name.startsWith(name))),
    ...only.filter((name) => !contestants.some((one) => one.name === name)),
  ];
  if (unknown.length > 0) {
    throw new TypeError(`There is no ${unknown.join(", ")}. --list tells what there is.`);
  }
  // The exact name of a case selects only that case, not others that begin with it.
  const isMeant = (asked: string, name: string) =>
    cases.some((one) => one.name === asked) ? name === asked : name.startsWith(asked);
  return cases.filter(({ name }) =>
    names.length === 0 || names.some((asked) => isMeant(asked, name))
  );
}

async function measure(plan: Plan): Promise<void> {
  const chosenCases = chosen(plan);
  if (process.platform !== "linux") {
    throw new Error("The benchmarks need Linux: they read /proc");
  }
  wrkVersion();
  build();
  const cores = takeCores();
  const where = machine(cores);
  const date = new Date().toISOString();
  const outcomes = await runAll(chosenCases, plan, cores, (outcome) => {
    console.log(`${outcomeText(outcome)}\n`);
  });
  const folder = write({ date, machine: where, plan, outcomes });
  console.log(`Written: ${relative(process.cwd(), folder)}/`);
}

/** Runs the suite; returns the exit status. */
export async function main(args: string[]): Promise<number> {
  try {
    const plan = planOf(args);
    if (plan.help || plan.list) {
      console.log(plan.help ? help : list());
    } else {
      await measure(plan);
    }
    return 0;
  } catch (error) {
    console.error((error as Error).message);
    return 1;
  }
}

if (import.meta.main) {
  // exit() runs the exit handlers of an interrupted run, too.
  process.once("SIGINT", () => process.exit(130)).once("SIGTERM", () => process.exit(143));
  process.exit(await main(process.argv.slice(2)));
}
