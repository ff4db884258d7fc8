// The load generator.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

/** The load to put on a server. */
export interface Load {
  port: number;
  /** What each connection sends over and over. */
  octets: Uint8Array;
  connections: number;
  seconds: number;
  /** The mean pause of a connection between two requests, in ms. */
  pause?: number;
}

/** What wrk has counted. */
export interface Driven {
  requests: number;
  micros: number;
  p50: number;
  p99: number;
  /** Answers with a status other than 200. */
  refused: number;
  /** Connections that failed or broke. */
  broken: number;
  /** Answers that took more than two seconds. */
  late: number;
}

/** Milliseconds that wrk may take to start and to stop. */
const PATIENCE = 15_000;

const script = join(import.meta.dirname!, "lua/load.lua");
const folder = mkdtempSync(join(tmpdir(), "bjoern-bench-"));
process.once("exit", () => rmSync(folder, { recursive: true }));

/** The version of wrk; throws when it is not installed. */
export function wrkVersion(): string {
  const { stdout } = spawnSync("wrk", ["--version"], { encoding: "utf8" });
  if (stdout === null || stdout === undefined) {
    throw new Error(
      "The benchmarks need wrk, which is not on the PATH. On Debian: apt-get install wrk",
    );
  }
  return /^wrk (\S+)/.exec(stdout)?.[1] ?? "unknown";
}

/**
 * Loads a server for the given time. wrk accepts whole seconds only, so it gets more and is
 * interrupted, upon which it reports as usual.
 */
export async function drive(load: Load): Promise<Driven> {
  const command = commandOf(load);
  // On a busy machine wrk may be interrupted before its first answer: try once more.
  return reportOf(await runFor(command, load.seconds)) ??
    reportOf(await runFor(command, load.seconds)) ??
    raise("wrk got no answer");
}

function raise(message: string): never {
  throw new Error(message);
}

function commandOf({ port, octets, connections, pause = 0 }: Load): string[] {
  const file = join(folder, "octets");
  writeFileSync(file, octets);
  const options = ["--threads", "1", "--connections", `${connections}`, "--duration", "600s"];
  return [...options, "--script", script, `http://127.0.0.1:${port}`, "--", file, `${pause}`];
}

/** Parses the last line; `undefined` when nothing was answered. */
function reportOf(output: string): Driven | undefined {
  const line = output.trimEnd().split("\n").at(-1) ?? "";
  const driven: Driven | undefined = line.startsWith("{") ? JSON.parse(line) : undefined;
  return driven?.requests ? driven : undefined;
}

function runFor(args: string[], seconds: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("wrk", args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let stop: ReturnType<typeof setTimeout> | undefined;
    const kill = () => child.kill("SIGKILL");
    const cut = setTimeout(kill, seconds * 1000 + PATIENCE);
    process.once("exit", kill);
    child.stdout.setEncoding("utf8").on("data", (text: string) => output += text);
    // The script writes to stderr when it starts.
    child.stderr.once("data", () => {
      stop = setTimeout(() => child.kill("SIGINT"), seconds * 1000);
    });
    child.on("error", reject);
    child.on("close", () => {
      clearTimeout(stop);
      clearTimeout(cut);
      process.off("exit", kill);
      resolve(output);
    });
  });
}

/** What went wrong; `undefined` if nothing did. */
export function faultOf({ refused, broken, late }: Driven): string | undefined {
  const faults = [
    refused > 0 && `${refused} answers with another status`,
    broken > 0 && `${broken} broken connections`,
    late > 0 && `${late} answers after two seconds`,
  ].filter((fault) => fault !== false);
  return faults.length > 0 ? faults.join(", ") : undefined;
}
