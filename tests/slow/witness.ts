// What the kernel reports about a server: the lifetimes of its connections, and its memory.
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { ADDRESS } from "./visitor.ts";

/** Milliseconds between two looks. */
const EVERY = 100;

interface Life {
  from: number;
  to: number;
}

/** As in /proc/net/tcp, which has addresses in host byte order: little-endian where we run. */
const visitor = Buffer.from(ADDRESS.split(".").reverse().map(Number)).toString("hex").toUpperCase();

/** The remote ends of open connections to `port`, except for the visitor's; see proc(5). */
function clientsOf(port: number): string[] {
  const lines = readFileSync("/proc/net/tcp", "latin1").split("\n").slice(1, -1);
  const rows = lines.map((line) => line.trim().split(/\s+/));
  const held = rows.filter(([, local, remote, , , , , , , inode]) =>
    parseInt(local.split(":")[1], 16) === port && inode !== "0" &&
    !remote.endsWith(":0000") && !remote.startsWith(visitor)
  );
  return held.map(([, , remote]) => remote);
}

/** Watches a server until it is told to stop. */
export class Witness {
  /** The maximum of resident memory in bytes. */
  peak = 0;
  readonly #port: number;
  readonly #pid: number;
  readonly #lives: Map<string, Life> = new Map();
  readonly #over: Promise<void>;
  #isStopped = false;

  constructor(port: number, pid: number) {
    this.#port = port;
    this.#pid = pid;
    this.#over = this.#watch();
  }

  /** Resident memory now, in bytes. */
  get resident(): number {
    const status = readFileSync(`/proc/${this.#pid}/status`, "utf8");
    return 1024 * Number(/^VmRSS:\s*(\d+) kB/m.exec(status)![1]);
  }

  /** The lifetime of each connection seen, in milliseconds. */
  get lives(): number[] {
    return Array.from(this.#lives.values(), ({ from, to }) => to - from);
  }

  #look(): void {
    const now = performance.now();
    for (const client of clientsOf(this.#port)) {
      this.#lives.set(client, { from: this.#lives.get(client)?.from ?? now, to: now });
    }
    this.peak = Math.max(this.peak, this.resident);
  }

  async #watch(): Promise<void> {
    while (!this.#isStopped) {
      this.#look();
      await sleep(EVERY);
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#over;
  }
}
