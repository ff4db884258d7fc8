// A supervisor and its workers, seen from a test.
import process from "node:process";
import { type Child, type Exit, runFile, runFileWith } from "./child.ts";
import { ask, open, type Target, within } from "./client.ts";
import type { Fact, Given } from "./worker_app.ts";

type Type = Fact["type"];
type Of<T extends Type> = Extract<Fact, { type: T }>;

const APP = "worker_app.ts";

/** The process that has answered. */
export interface Who {
  worker: number;
  pid: number;
  version: string;
}

/** A running supervisor. */
export class Group implements AsyncDisposable {
  target: Target = { port: 0 };
  pid = 0;
  readonly #child: Child;
  readonly #host: string;
  /** Events that were read but not asked for. */
  readonly #unread: Fact[] = [];
  /** Workers that have not ended, according to the events read. */
  readonly #alive = new Set<number>();

  private constructor(child: Child, given: Given) {
    this.#child = child;
    this.#host = given.host ?? "";
  }

  /** Starts one, with all permissions or these, and waits until all its workers are ready. */
  static async start(given: Given, permissions?: readonly string[]): Promise<Group> {
    const run = [APP, JSON.stringify(given)] as const;
    const child = permissions ? runFileWith(permissions, {}, ...run) : runFile(...run);
    const group = new Group(child, given);
    const { pid, port } = await group.event("up");
    const path = group.#host.replace(/^unix:/, "").replace(/^@/, "\0");
    group.target = port > 0 ? { port } : { path };
    group.pid = pid;
    return group;
  }

  async #read(): Promise<Fact> {
    const fact: Fact = JSON.parse(await this.#child.line());
    if (fact.type === "started") {
      this.#alive.add(fact.pid);
    } else if (fact.type === "exited") {
      this.#alive.delete(fact.pid);
    }
    return fact;
  }

  /** The next event of a type. Events before it are kept. */
  async event<T extends Type>(type: T): Promise<Of<T>> {
    for (let i = 0;; i++) {
      if (i === this.#unread.length) {
        this.#unread.push(await this.#read());
      }
      if (this.#unread[i].type === type) {
        return this.#unread.splice(i, 1)[0] as Of<T>;
      }
    }
  }

  /** The next `count` events of a type. */
  async events<T extends Type>(type: T, count: number) {
    const all: Of<T>[] = [];
    while (all.length < count) {
      all.push(await this.event(type));
    }
    return all;
  }

  /** How many requests this many processes have handled, once they have ended. */
  async handled(processes: number): Promise<number> {
    const all = await this.events("handled", processes);
    return all.reduce((sum, { requests }) => sum + requests, 0);
  }

  /** Sends a signal to the supervisor, or to a worker. */
  signal(name: "SIGTERM" | "SIGINT" | "SIGHUP" | "SIGKILL", pid: number = this.pid): void {
    process.kill(pid, name);
  }

  /** Asks one of the workers who it is. */
  async who(): Promise<Who> {
    return JSON.parse((await ask(this.target)).text);
  }

  /** Asks until `count` processes have answered. Connections kept open keep them busy. */
  async all(count: number): Promise<Set<number>> {
    const pids = new Set<number>();
    const end = performance.now() + 15_000;
    while (pids.size < count && performance.now() < end) {
      const answers = await Promise.all(Array.from({ length: 8 }, () => this.who()));
      answers.forEach(({ pid }) => pids.add(pid));
    }
    return pids;
  }

  /** Starts a request that `finish` completes; returns once a worker has it. */
  async slow() {
    const connection = await open(this.target);
    const head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n";
    const { status } = await connection.write(head).head();
    if (status !== 100) {
      throw new Error(`Not 100 but ${status}`);
    }
    const finish = async () => {
      const answer = await connection.write("rest").answer();
      connection.close();
      return answer;
    };
    return { connection, finish };
  }

  /** Waits until the supervisor and everyone else with its standard output has ended. */
  async ended(): Promise<Exit> {
    const exit = await this.#child.ended();
    this.#alive.clear();
    return exit;
  }

  /** Kills everything, whatever state a failed test has left it in. */
  async [Symbol.asyncDispose](): Promise<void> {
    const ending = this.#child[Symbol.asyncDispose]();
    for (const pid of this.#alive) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended, but the event was not read yet.
      }
    }
    await within(ending, "the end of a supervisor and its workers");
  }
}

/** Clients that send requests without a pause until they are stopped. */
export class Traffic {
  readonly #target: Target;
  readonly #clients: Promise<void>[];
  readonly #failures: unknown[] = [];
  #answers = 0;
  #isOver = false;

  /** Half of them use a connection per request, half keep one open for as long as possible. */
  constructor(target: Target, clients: number) {
    this.#target = target;
    this.#clients = Array.from(
      { length: clients },
      (_, i) => i % 2 === 0 ? this.#sequential() : this.#keepAlive(),
    );
  }

  /** Answers so far. */
  get answers(): number {
    return this.#answers;
  }

  async #attempt(request: () => Promise<boolean>): Promise<boolean> {
    try {
      const isComplete = await request();
      this.#answers++;
      return isComplete;
    } catch (error) {
      this.#failures.push(error);
      return false;
    }
  }

  async #sequential(): Promise<void> {
    while (!this.#isOver) {
      await this.#attempt(async () => (await ask(this.#target)).complete);
    }
  }

  async #keepAlive(): Promise<void> {
    while (!this.#isOver) {
      const opened = await open(this.#target).catch((error) => void this.#failures.push(error));
      if (!opened) {
        continue;
      }
      for (let isKept = true; isKept && !this.#isOver;) {
        isKept = await this.#attempt(async () => {
          const answer = await opened.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n").answer();
          return answer.complete && answer.get("connection") !== "close";
        });
      }
      opened.close();
    }
  }

  /** Stops them and returns the errors. */
  async stop(): Promise<unknown[]> {
    this.#isOver = true;
    await within(Promise.all(this.#clients), "the clients");
    return this.#failures;
  }
}
