// wrk, a client that loads a server to the full (Debian package wrk).
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Child } from "./child.ts";
import type { Target } from "./client.ts";

/** The number of its connections. */
export const CONNECTIONS = 32;

/** The most requests it has in flight: eight on each connection. */
export const IN_FLIGHT = CONNECTIONS * 8;

const SCRIPT = fileURLToPath(new URL("wrk.lua", import.meta.url));
const LONGEST = "20s";

/** Why wrk cannot be used; `false` if it can. */
export const NO_WRK: string | false = spawnSync("wrk", ["--version"]).error
  ? "there is no wrk here"
  : false;

/** What wrk has counted. */
export interface Tally {
  /** Complete answers. */
  answers: number;
  /** Connections that ended before an answer. */
  cut: number;
  /** Connections that were refused, or ended before a request. */
  refused: number;
  /** Answers with a status of 400 or more. */
  failed: number;
  /** Answers that took more than two seconds. */
  late: number;
}

/** Sends requests from its construction until it is stopped. */
export class Wrk implements AsyncDisposable {
  readonly #child: Child;

  /** `target` is a TCP port. */
  constructor(target: Target) {
    assert.ok("port" in target);
    const how = ["-t1", `-c${CONNECTIONS}`, `-d${LONGEST}`, "-s", SCRIPT];
    this.#child = new Child(spawn("wrk", [...how, `http://127.0.0.1:${target.port}`]));
  }

  /** Stops it. Requests still in flight have no answer in its counts. */
  async stop(): Promise<Tally> {
    this.#child.signal("SIGINT");
    const { out } = await this.#child.ended();
    return JSON.parse(out.trim().split("\n").at(-1)!);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#child[Symbol.asyncDispose]();
  }
}
