// Runs the command line, as a process or within this one.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { main } from "../../cli.ts";
import { Child, runFileIn } from "./child.ts";

/** The path of cli_app.ts. */
export const APP: string = fileURLToPath(new URL("./cli_app.ts", import.meta.url));

const CLI = fileURLToPath(new URL("../../cli.ts", import.meta.url));
const RUN = process.versions.bun ? ["run"] : ["run", "-A", "--no-check"];

/** Starts the command line, with no address in the environment. */
export function bjoern(args: string[], env: Record<string, string> = {}): Child {
  return runFileIn({ HOST: "", PORT: "", ...env }, "../../cli.ts", ...args);
}

/**
 * Starts the command line with `fd` as descriptor `at`, announced as systemd does; `pid` is a shell
 * expression for LISTEN_PID.
 */
export function bjoernWith(fd: number, pid: string, args: string[], at = 3): Child {
  const script = `LISTEN_PID=${pid} LISTEN_FDS=1 exec "$@"`;
  return new Child(spawn("sh", ["-c", script, "sh", process.execPath, ...RUN, CLI, ...args], {
    env: { ...process.env, HOST: "", PORT: "" },
    stdio: ["pipe", "pipe", "pipe", ...Array(at - 3).fill("ignore"), fd],
  }));
}

/** The URL that the command line has printed. */
export async function urlOf(child: Child): Promise<string> {
  const [, url] = /^Listening on (.+)$/.exec(await child.line()) ?? [];
  return url;
}

/** The body of an answer, on a connection of its own. */
export async function get(url: string): Promise<string> {
  return await (await fetch(url, { headers: { connection: "close" } })).text();
}

/** The same over a Unix socket. */
export function getUnix(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path: "/", headers: { host: "unix" } }, (answer) => {
      answer.setEncoding("utf8").on("data", resolve);
    }).on("error", reject).end();
  });
}

/** Runs `main` with arguments that do not start a server; returns its status and output. */
export async function said(
  ...args: string[]
): Promise<{ status: number; out: string; err: string }> {
  const { log, error } = console;
  const said = { status: 0, out: "", err: "" };
  console.log = (...words: unknown[]) => void (said.out += `${words.join(" ")}\n`);
  console.error = (...words: unknown[]) => void (said.err += `${words.join(" ")}\n`);
  try {
    said.status = await main(args);
  } finally {
    Object.assign(console, { log, error });
  }
  return said;
}

/** A temporary directory for one test. */
export class Folder implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), "bjoern-cli-"));

  /** Writes a file and returns its path. */
  file(name: string, text: string): string {
    const path = join(this.path, name);
    writeFileSync(path, text);
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}
