/**
 * Tables of wire tests. Every row is sent whole, and again octet by octet; both must get the same.
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

/** What a response has to be; what is left out is not looked at. */
export interface Expected extends Asked {
  /** @default {200} */
  status?: number;
  reason?: string;
  body?: string;
  /** `null`: the field is not there. */
  fields?: Record<string, string | RegExp | null>;
  framing?: Framing;
  /** What the handler has seen, where it tells that; `null`: the field is not there. */
  sees?: Partial<Omit<Sight, "fields">> & { fields?: Record<string, string | null> };
  /** Whether the body ends as it should. @default {true} */
  whole?: boolean;
}

/** Octets, and the responses that must have come before anything else is sent. */
export type Turn = [send: string, ...answers: Expected[]];

/** One behaviour. */
export interface Row extends Expected {
  name: string;
  /** Where it is said: sections of RFC 9112 unless another one is named. */
  rfc: string;
  /** Octets; this or `turns`. */
  send?: string;
  /** What they get, if it is not the one response that the row itself describes. */
  answers?: Expected[];
  /** After `answers`: refused by this status, and nothing behind it is ever read. */
  refused?: number;
  turns?: Turn[];
  /**
   * What becomes of the connection. `open`: it serves on. `close`: it closes, as announced, and
   * nothing behind the message is read. `answer`: it closes, as announced, because the handler's
   * answer says so; what came behind may have run, but gets no answer. `cut`: it ends unannounced.
   * `reset`: it is reset, whatever came before.
   *
   * @default {"open"}, and {"close"} for what is refused
   */
  end?: "open" | "close" | "answer" | "cut" | "reset";
  /** The client closes its side after the last octet. */
  halfClose?: boolean;
  /** The message has no end yet: nothing can be sent behind it. */
  unfinished?: boolean;
}

/** What is sent behind a message that ends the connection. */
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

/** Fails unless a response refuses a request as every refusal does. */
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

/** Sends octets one by one: the server has read each before the next is written. */
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

  /** All connections take their steps together. */
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

  /** Waits until the server has read all; what goes to a closed or paused connection is lost. */
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

/** A server and the tables of one file. */
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
    // Rows wait for one another: no time limit may come between.
    const patience = { headTimeout: 0, bodyTimeout: 0, keepAliveTimeout: 0, writeTimeout: 0 };
    this.#options = { onError: () => {}, ...patience, ...options };
  }

  /** Runs from the first test that needs it. */
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

  /** Sees that the connection serves on, or that it is over and nothing more was read. */
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

  /** One pass through a row. */
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

  /** Makes a test of every row. All of them run at once, when the first is asked for. */
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

  /** The last test of a file: nothing is left, neither here nor in the server. */
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
