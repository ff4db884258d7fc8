// wrk, a client that loads a server as much as it can (Debian's package wrk).
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Child } from "./child.ts";
import type { Target } from "./client.ts";

/** Connections that it has. */
export const CONNECTIONS = 32;

/** Requests that it has in flight at most: eight on each connection. */
export const IN_FLIGHT = CONNECTIONS * 8;

const SCRIPT = fileURLToPath(new URL("wrk.lua", import.meta.url));
const LONGEST = "20s";

/** Why there is no such load; `false` where there is. */
export const NO_WRK: string | false = spawnSync("wrk", ["--version"]).error
  ? "there is no wrk here"
  : false;

/** What it has counted. */
export interface Tally {
  /** Complete ones. */
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

/** Asks from when it is made until it is stopped. */
export class Wrk implements AsyncDisposable {
  readonly #child: Child;

  /** `target` is a TCP port. */
  constructor(target: Target) {
    assert.ok("port" in target);
    const how = ["-t1", `-c${CONNECTIONS}`, `-d${LONGEST}`, "-s", SCRIPT];
    this.#child = new Child(spawn("wrk", [...how, `http://127.0.0.1:${target.port}`]));
  }

  /** Requests that are in flight then have no answer in its count. */
  async stop(): Promise<Tally> {
    this.#child.signal("SIGINT");
    const { out } = await this.#child.ended();
    return JSON.parse(out.trim().split("\n").at(-1)!);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#child[Symbol.asyncDispose]();
  }
}
