// `npm run fuzz`: runs the fuzz targets on their corpus, then on half a minute of mutations. `npm
// run fuzz -- --seconds 600 --target request` runs longer, `--replay` runs the corpus alone and
// needs no clang, `--seed 1` repeats the same mutations of the seeds. Inputs that crash a target
// are kept in zig-out/fuzz/; add those worth keeping to tests/fuzz/corpus/.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { run } from "./run.ts";
import { compile, flags, must } from "./sanitizers.ts";

const folder = "zig-out/fuzz";

interface Target {
  name: string;
  corpus: string;
  /** Its share of the time. */
  share: number;
  /** Largest input in octets. */
  most: number;
}

const targets: Target[] = [
  { name: "parse", corpus: "request", share: 0.2, most: 640 },
  { name: "proxy", corpus: "proxy", share: 0.1, most: 4200 },
  { name: "request", corpus: "request", share: 0.4, most: 1024 },
  { name: "answer", corpus: "answer", share: 0.4, most: 512 },
];

function has(compiler: string): boolean {
  return spawnSync(compiler, ["--version"]).status === 0;
}

/** Whether there is a clang with libFuzzer, which Debian packages separately. */
export function hasFuzzer(): boolean {
  const input = "int LLVMFuzzerTestOneInput(const char *at, long size) { return 0; }";
  return spawnSync("clang", "-w -fsanitize=fuzzer -x c - -o /dev/null".split(" "), { input })
    .status === 0;
}

function report(title: string, well: boolean, detail: string, output: string): boolean {
  console.log(`${title.padEnd(24)}${well ? "passed" : "failed"} (${detail})`);
  if (!well) console.log(output);
  return well;
}

async function replay(wanted: Target[]): Promise<boolean[]> {
  const compiler = has("cc") ? "cc" : "clang", place = join(folder, "replay");
  if (!await compile(compiler, place, [])) return [false];
  const results: boolean[] = [];
  for (const { name, corpus } of wanted) {
    const program = join(place, name);
    const parts = [`tests/fuzz/${name}_fuzz.c`, "tests/fuzz/replay.c", join(place, "all.a")];
    if (!await must([compiler, ...flags, ...parts, "-o", program])) return [false];
    const { well, output } = await run([program, `tests/fuzz/corpus/${corpus}`]);
    const count = output.match(/^ok - /gm)?.length ?? 0;
    const rest = output.split("\n").filter((line) => !/^(ok - )?tests\/fuzz\/corpus/.test(line));
    const last = output.match(/^tests\/fuzz\/corpus.*$/gm)?.at(-1) ?? "no file";
    const said = `${last}:\n${rest.join("\n")}`;
    results.push(report(`${name}, corpus`, well && count > 0, `${count} files`, said));
  }
  return results;
}

/**
 * Mutates the corpus of the previous run, which has outgrown the seeds; with a `seed`, only the
 * seeds.
 */
async function fuzzOne(
  target: Target,
  program: string,
  seconds: number,
  seed: string,
): Promise<boolean> {
  const work = join(folder, seed ? `seed-${seed}` : "work", target.name);
  const seeds = join("tests/fuzz/corpus", target.corpus);
  if (seed) rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  for (const seed of readdirSync(seeds)) cpSync(join(seeds, seed), join(work, seed));
  const { well, output } = await run([
    ...["nice", "-n", "19", program, work, "-dict=tests/fuzz/http.dict", "-timeout=10"],
    ...["-print_final_stats=1", `-artifact_prefix=${folder}/${target.name}-`],
    ...[`-max_total_time=${seconds}`, `-max_len=${target.most}`, `-seed=${seed || 0}`],
  ], seconds / 60 + 5);
  const runs = /number_of_executed_units: (\d+)/.exec(output)?.[1] ?? "0";
  const cover = [...output.matchAll(/ cov: (\d+) /g)].at(-1)?.[1] ?? "0";
  const detail = `${runs} inputs in ${seconds} s, ${cover} edges`;
  const tail = output.split("\n").filter((line) => !line.startsWith("#")).slice(-80).join("\n");
  return report(`${target.name}, fuzzed`, well, detail, tail);
}

async function fuzz(wanted: Target[], seconds: number, seed: string): Promise<boolean[]> {
  if (!hasFuzzer()) {
    console.log("There is no clang with libFuzzer here: apt-get install -y clang libclang-rt-dev");
    return [false];
  }
  const place = join(folder, "objects");
  if (!await compile("clang", place, ["-fsanitize=fuzzer-no-link"])) return [false];
  const whole = wanted.reduce((sum, target) => sum + target.share, 0);
  const results: boolean[] = [];
  for (const target of wanted) {
    const program = join(place, target.name);
    const parts = [`tests/fuzz/${target.name}_fuzz.c`, join(place, "all.a")];
    const link = ["clang", ...flags, "-fsanitize=fuzzer", ...parts, "-o", program];
    if (!await must(link)) return [false];
    const share = Math.max(1, Math.round(seconds * target.share / whole));
    results.push(await fuzzOne(target, program, share, seed));
  }
  return results;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seconds: { type: "string", default: "30" },
      target: { type: "string", default: "" },
      seed: { type: "string", default: "" },
      replay: { type: "boolean", default: false },
    },
  });
  const wanted = targets.filter(({ name }) => name.includes(values.target));
  if (wanted.length === 0) {
    console.log(`There is no target "${values.target}".`);
    return 1;
  }
  const results = await replay(wanted);
  if (!values.replay) results.push(...await fuzz(wanted, Number(values.seconds), values.seed));
  const failed = results.filter((well) => !well).length;
  console.log(`${results.length - failed} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
}

if (import.meta.main) process.exit(await main());
