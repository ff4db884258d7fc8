/**
 * Tables of wire tests. Every row is sent as a whole and octet by octet; both must get the same.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { setImmediate } from "node:timers";
import { type Options, run, type Server } from "../../mod.ts";
import { type Answer, ask, type Asked, Client, type Framing, show, type Tally } from "./wire.ts";
import { appOf, type Route, type Sight, type Trap } from "./wire_app.ts";

/** What a response must be; what is omitted is not checked. */
export interface Expected extends Asked {
  /** @default {200} */
  status?: number;
  reason?: string;
  body?: string;
  /** `null`: the field must be absent. */
  fields?: Record<string, string | RegExp | null>;
  framing?: Framing;
  /** What the handler has seen, if it reports that; `null`: the field must be absent. */
  sees?: Partial<Omit<Sight, "fields">> & { fields?: Record<string, string | null> };
  /** Whether the body ends as announced. @default {true} */
  whole?: boolean;
}

/** Octets, and the responses to await before sending anything more. */
export type Turn = [send: string, ...answers: Expected[]];

/** One behaviour. */
export interface Row extends Expected {
  name: string;
  /** The rule's source: sections of RFC 9112 unless another one is named. */
  rfc: string;
  /** Octets; either this or `turns`. */
  send?: string;
  /** The responses, if there are others than the one that the row describes. */
  answers?: Expected[];
  /** The status of a refusal that comes after `answers`, and after which nothing is read. */
  refused?: number;
  turns?: Turn[];
  /**
   * What happens to the connection. `open`: it stays open. `close`: it closes, as announced, and
   * nothing after the message is read. `answer`: it closes, as announced in the handler's answer;
   * requests after it may have run, but get no answer. `cut`: it ends unannounced. `reset`: it is
   * reset, whatever came before.
   *
   * @default {"open"}, and {"close"} for a refusal
   */
  end?: "open" | "close" | "answer" | "cut" | "reset";
  /** The client half-closes after the last octet. */
  halfClose?: boolean;
  /** The message is incomplete: nothing can be sent after it. */
  unfinished?: boolean;
}

/** What is sent after the message, by how the connection ends. */
const TAILS = {
  open: "",
  close: ask("/smuggled"),
  answer: ask("/probe?t=tail"),
  cut: ask("/probe?t=tail"),
  reset: "",
};
const LAST = ask("/probe?t=last", { fields: ["Connection: close"] });

function checkField(name: string, got: string | undefined, want: string | RegExp | null): void {
  if (want instanceof RegExp) {
    assert.match(got ?? "", want, name);
  } else {
    assert.equal(got, want ?? undefined, name);
  }
}

function checkSight(body: string, { fields = {}, ...rest }: NonNullable<Expected["sees"]>): void {
  const sight = JSON.parse(Buffer.from(body, "latin1").toString()) as Sight;
  for (const [name, want] of Object.entries(rest)) {
    assert.equal(sight[name as keyof Sight], want, name);
  }
  for (const [name, want] of Object.entries(fields)) {
    checkField(name, sight.fields[`=${name}`], want);
  }
}

/** Fails unless a response is as expected. */
export function check(answer: Answer, want: Expected): void {
  assert.equal(answer.status, want.status ?? 200, show(answer.body));
  assert.equal(answer.whole, want.whole ?? true, "the body is whole");
  for (const key of ["reason", "body", "framing"] as const) {
    if (want[key] !== undefined) {
      assert.equal(answer[key], want[key], key);
    }
  }
  for (const [name, value] of Object.entries(want.fields ?? {})) {
    checkField(name, answer.fields[name], value);
  }
  if (want.sees !== undefined) {
    checkSight(answer.body, want.sees);
  }
}

/** Fails unless a response is a proper refusal. */
export function checkRefusal(answer: Answer, status: number, head = false): void {
  check(answer, { status, fields: { connection: "close", "content-type": /^text\/plain/ } });
  assert.match(answer.fields["content-length"], /^[1-9]\d?$/, "a small body");
  if (!head) {
    assert.equal(answer.body.length, Number(answer.fields["content-length"]));
    assert.equal(answer.body, answer.reason, "it tells no more than its status");
  }
  const names = Object.keys(answer.fields).sort();
  assert.deepEqual(names, ["connection", "content-length", "content-type", "date"]);
}

/** Sends octet by octet, each one after the server has read the previous one. */
class Trickle {
  readonly #received: () => number;
  readonly #tally: Tally;
  #jobs: { client: Client; octets: string; at: number; done: () => void }[] = [];
  #running = false;

  constructor(tally: Tally, received: () => number) {
    this.#tally = tally;
    this.#received = received;
  }

  send(client: Client, octets: string): Promise<void> {
    if (octets === "") {
      return Promise.resolve();
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#jobs.push({ client, octets, at: 0, done: resolve });
    if (!this.#running) {
      this.#running = true;
      this.#run();
    }
    return promise;
  }

  /** Moves all connections on together, one octet each. */
  async #run(): Promise<void> {
    while (this.#jobs.length > 0) {
      await Promise.all(this.#jobs.map((job) => job.client.send(job.octets[job.at++])));
      await this.taken();
      this.#jobs = this.#jobs.filter((job) => {
        const over = job.at >= job.octets.length || job.client.ended;
        if (over) {
          job.done();
        }
        return !over;
      });
    }
    this.#running = false;
  }

  /** Waits until the server has read all; octets to closed or paused connections are lost. */
  async taken(): Promise<void> {
    for (let i = 0; i < 1000 && this.#received() < this.#tally.sent; i++) {
      await new Promise<void>((done) => setImmediate(done));
    }
    this.#tally.sent = this.#received();
  }
}

type Send = (client: Client, octets: string) => Promise<void>;

function turnsOf(row: Row): Turn[] {
  const { send = "", answers, refused } = row;
  return row.turns ?? [[send, ...(answers ?? (refused === undefined ? [row] : []))]];
}

/** A server and the tables of one test file. */
export class Wire {
  readonly #routes: Record<string, Route>;
  readonly #options: Options;
  readonly #trap: Trap = { smuggled: 0 };
  readonly #tally: Tally = { sent: 0 };
  readonly #trickle = new Trickle(this.#tally, () => this.server.metrics().bytes_received);
  readonly #clients = new Set<Client>();
  #server: Server | undefined;

  constructor(routes: Record<string, Route> = {}, options: Options = {}) {
    this.#routes = routes;
    // Rows wait for one another, so no time limit may interfere.
    const patience = { headTimeout: 0, bodyTimeout: 0, keepAliveTimeout: 0, writeTimeout: 0 };
    this.#options = { onError: () => {}, ...patience, ...options };
  }

  /** Started by the first test that needs it. */
  get server(): Server {
    return this.#server ??= run(appOf(this.#routes, this.#trap), "127.0.0.1", 0, this.#options);
  }

  async open(): Promise<Client> {
    const client = await Client.open(this.server.port, this.#tally);
    this.#clients.add(client);
    return client;
  }

  /** Waits until the server has read what was sent. */
  received(): Promise<void> {
    return this.#trickle.taken();
  }

  /** Checks that the connection still works, or that it is closed and nothing more was read. */
  async #finish(client: Client, end: Row["end"], last: Answer | undefined, send: Send) {
    if (end === "reset") {
      return await client.resetting();
    } else if (end === "open") {
      assert.notEqual(last?.fields.connection, "close", "the connection persists");
      assert.equal(client.unread, "", "octets after the last response");
      await send(client, LAST);
      check(await client.answer(), { body: "probe:last", fields: { connection: "close" } });
    } else if (end !== "cut") {
      assert.equal(last?.fields.connection, "close", "the end is announced");
    }
    await client.end();
    client.close();
  }

  /** Plays a row once. */
  async #exchange(row: Row, send: Send): Promise<Answer[]> {
    const client = await this.open();
    const all: Answer[] = [];
    const { refused, halfClose, end = refused === undefined ? "open" : "close" } = row;
    const tail = halfClose || row.unfinished ? "" : TAILS[end];
    const turns = turnsOf(row);
    for (const [i, [octets, ...answers]] of turns.entries()) {
      const isLast = i === turns.length - 1;
      const sent = send(client, isLast ? octets + tail : octets);
      if (isLast && halfClose) {
        sent.then(() => client.halfClose());
      }
      for (const want of answers) {
        const answer = await client.answer(want);
        check(answer, want);
        all.push(answer);
      }
      if (isLast && refused !== undefined) {
        const answer = await client.answer(row);
        checkRefusal(answer, refused, row.head);
        all.push(answer);
      }
      await sent;
    }
    await this.#finish(client, end, all.at(-1), send);
    return all;
  }

  async #both(row: Row): Promise<void> {
    const passes = await Promise.all([
      this.#exchange(row, (client, octets) => client.send(octets)),
      this.#exchange(row, (client, octets) => this.#trickle.send(client, octets)),
    ]);
    for (const answer of passes.flat()) {
      delete answer.fields.date;
    }
    assert.deepEqual(passes[1], passes[0], "octet by octet and whole");
  }

  /** Makes a test of every row. The first one to run starts all of them at once. */
  table(rows: Row[]): void {
    let outcomes: Promise<PromiseSettledResult<void>[]> | undefined;
    rows.forEach((row, i) => {
      test(`${row.name} (RFC ${/^\d{4} /.test(row.rfc) ? "" : "9112 "}${row.rfc})`, async () => {
        outcomes ??= Promise.allSettled(rows.map((each) => this.#both(each)));
        const outcome = (await outcomes)[i];
        if (outcome.status === "rejected") {
          throw outcome.reason;
        }
      });
    });
  }

  /** The last test of a file: neither the clients nor the server has anything left. */
  endsClean(): void {
    test("when the clients have closed, no connection is open and no request is held", async () => {
      const { server } = this;
      for (const client of this.#clients) {
        client.close();
      }
      const until = performance.now() + 10_000;
      const left = () => {
        const { connections_open, requests_in_flight } = server.metrics();
        return { connections_open, requests_in_flight };
      };
      while (Object.values(left()).some((count) => count > 0) && performance.now() < until) {
        await new Promise((done) => setTimeout(done, 5));
      }
      const none = left();
      await server.shutdown({ timeout: 1000 });
      assert.deepEqual(none, { connections_open: 0, requests_in_flight: 0 });
      assert.equal(this.#trap.smuggled, 0, "requests out of what is none");
    });
  }
}
