// The clients of a soak: every answer must match its own request, octet for octet.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Answer,
  type Ask,
  type Connection,
  octets,
  open,
  type Target,
  within,
} from "../support/client.ts";
import { pattern } from "./pattern.ts";

/** A request and the expected body of its answer. */
interface Exchange {
  ask: Ask;
  /** @default {200} */
  status?: number;
  body: Buffer;
}

function below(most: number): number {
  return Math.floor(Math.random() * most);
}

function oneOf<T>(list: readonly T[]): T {
  return list[below(list.length)];
}

/** A random size, mostly small. */
function someSize(): number {
  return below(oneOf([100, 100, 2000, 30_000, 300_000]));
}

/** Cuts a body into chunks of random sizes. */
function cut(body: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length;) {
    parts.push(body.subarray(at, at += 1 + below(body.length)));
  }
  return parts;
}

const exchanges: ((id: string) => Exchange)[] = [
  ...["text", "text", "octets", "late", "stream"].map((kind) => (id: string) => {
    const size = someSize();
    return { ask: { target: `/${kind}/${id}/${size}` }, body: pattern(id, size) };
  }),
  ...["echo", "read", "clone", "echo", "read", "clone"].map((kind, i) => (id: string) => {
    const body = pattern(id, someSize());
    return { ask: { target: `/${kind}/${id}`, body: i < 3 ? body : cut(body) }, body };
  }),
  (id) => ({ ask: { target: `/ignore/${id}`, body: pattern(id, 3000) }, body: Buffer.from(id) }),
  (id) => {
    const count = below(20);
    const body = Buffer.from(`data: ${id}\n\n`.repeat(count));
    return { ask: { target: `/events/${id}/${count}` }, body };
  },
  (id) => {
    const offset = below(500_000), length = below(500_000);
    const body = pattern("file", 1 << 20).subarray(offset, offset + length);
    return { ask: { target: `/file/${id}/${offset}/${length}` }, body };
  },
];

/** Numbers the ids, so that each is unique. */
let count = 0;

function some(): Exchange {
  return oneOf(exchanges)(`id${count++}`);
}

function check(answer: Answer, { ask, status = 200, body }: Exchange): void {
  assert.equal(answer.status, status, `${ask.target}`);
  assert.ok(answer.complete, `${ask.target} is cut`);
  assert.ok(answer.body.equals(body), `${ask.target} has got other octets`);
}

async function exchange(connection: Connection, what: Exchange, end = ""): Promise<void> {
  check(await connection.write(octets(what.ask, end)).answer(), what);
}

/** Reads only the beginning of an answer, and compares it. */
async function glance(connection: Connection, target: string, whole: Buffer): Promise<void> {
  const answer = await connection.write(octets({ target }, "")).head();
  assert.equal(answer.status, 200);
  const part = await connection.chunk(answer) ?? Buffer.alloc(0);
  assert.ok(part.equals(whole.subarray(0, part.length)), `${target} has got other octets`);
}

async function refused(connection: Connection, what: string, status: number): Promise<void> {
  assert.equal((await connection.write(what).answer()).status, status);
  await within(connection.closed, `the end after ${status}`);
}

const HOST = "Host: a\r\n";

/** How a client ends its connection. */
const ends: Record<string, (connection: Connection, id: string) => Promise<void> | void> = {
  "leaves": () => {},
  "resets": ({ socket }) => void socket.resetAndDestroy(),
  "says that it is the last one": (connection) => exchange(connection, some(), "close"),
  "is idle until the server closes": (connection) => within(connection.closed, "the idle end"),
  "closes its side and reads on": async (connection) => {
    const what = some();
    connection.write(octets(what.ask, ""));
    connection.socket.end();
    check(await connection.answer(), what);
  },
  "leaves in the middle of a head": (connection) => void connection.write("GET / HTT"),
  "leaves in the middle of a body": async (connection, id) => {
    const kind = oneOf(["echo", "read", "ignore"]);
    connection.write(`POST /${kind}/${id} HTTP/1.1\r\n${HOST}Content-Length: 999\r\n\r\nhalf`);
    await sleep(below(20));
  },
  "leaves in the middle of an answer": (connection, id) =>
    glance(connection, `/stream/${id}/900000`, pattern(id, 900_000)),
  "leaves in the middle of events": (connection, id) =>
    glance(connection, `/events/${id}/500`, Buffer.from(`data: ${id}\n\n`)),
  "leaves in the middle of a file": async (connection, id) => {
    const head = await connection.write(octets({ target: `/file/${id}/0/1048576` }, "")).head();
    assert.equal(head.status, 200);
  },
  "leaves while the handler is busy": async (connection, id) => {
    connection.write(octets({ target: `/${oneOf(["wait", "late"])}/${id}/50` }, ""));
    await sleep(below(20));
  },
  "reads slowly": async (connection, id) => {
    const what = oneOf([
      { ask: { target: `/text/${id}/3000000` }, body: pattern(id, 3_000_000) },
      { ask: { target: `/stream/${id}/900000` }, body: pattern(id, 900_000) },
      { ask: { target: `/file/${id}/0/1048576` }, body: pattern("file", 1 << 20) },
    ]);
    connection.socket.pause();
    connection.write(octets(what.ask, ""));
    await sleep(200 + below(300));
    connection.socket.resume();
    check(await connection.answer(), what);
  },
  "meets a handler that fails": async (connection, id) => {
    const answer = await connection.write(octets({ target: `/fail/${id}` }, "")).answer();
    assert.equal(answer.status, 500);
  },
  "gets half of an answer": async (connection, id) => {
    const answer = await connection.write(octets({ target: `/cut/${id}/60000` }, "")).answer();
    assert.equal(answer.complete, false);
    assert.ok(answer.body.equals(pattern(id, 60_000)), "half an answer has got other octets");
  },
  "is malformed": (connection) =>
    refused(connection, `GET / HTTP/1.1\r\nHost:a\nX: y\r\n\r\n`, 400),
  "is too long": (connection) =>
    refused(connection, `GET / HTTP/1.1\r\n${HOST}X: ${"y".repeat(20_000)}\r\n\r\n`, 431),
  "is too large": (connection, id) =>
    refused(connection, `POST /read/${id} HTTP/1.1\r\n${HOST}Content-Length: 2000000\r\n\r\n`, 413),
  "is too slow": (connection) => refused(connection, `GET / HTTP/1.1\r\n`, 408),
  "expects 100": async (connection, id) => {
    const body = pattern(id, 5000);
    const length = `Content-Length: 5000\r\nExpect: 100-continue\r\n\r\n`;
    const { status } = await connection.write(`POST /read/${id} HTTP/1.1\r\n${HOST}${length}`)
      .answer();
    assert.equal(status, 100);
    check(await connection.write(body).answer(), { ask: {}, body });
  },
};

/** Some exchanges one at a time, some pipelined, and an end. Returns how many there were. */
async function converse(connection: Connection): Promise<number> {
  const all = Array.from({ length: below(8) }, some);
  if (oneOf([true, false])) {
    connection.write(Buffer.concat(all.map(({ ask }) => octets(ask, ""))));
    for (const what of all) {
      check(await connection.answer(), what);
    }
  } else {
    for (const what of all) {
      await exchange(connection, what);
    }
  }
  const [name, end] = oneOf(Object.entries(ends));
  try {
    await end(connection, `id${count++}`);
  } catch (error) {
    throw new Error(`A client that ${name}: ${(error as Error).message}`, { cause: error });
  }
  return all.length + 1;
}

/** The clients of one server, which come and go until they are told to rest. */
export class Crowd {
  exchanges = 0;
  readonly failures: Error[] = [];
  readonly #target: Target;
  #actors: Promise<void>[] = [];
  #isResting = true;

  constructor(target: Target) {
    this.#target = target;
  }

  async #act(pause: number): Promise<void> {
    while (!this.#isResting) {
      try {
        const connection = await open(this.#target);
        const had = await converse(connection).finally(() => connection.close());
        this.exchanges += had;
      } catch (error) {
        this.failures.push(error as Error);
      }
      await sleep(below(pause));
    }
  }

  /** Starts `clients` clients, each of which pauses up to `pause` ms between connections. */
  begin(clients: number, pause: number): void {
    this.#isResting = false;
    this.#actors = Array.from({ length: clients }, () => this.#act(pause));
  }

  /** Waits until all clients have left. */
  async rest(): Promise<void> {
    this.#isResting = true;
    await Promise.all(this.#actors);
  }
}
