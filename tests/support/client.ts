// A plain client that shows exactly what is on the wire, and a server that must be idle when its
// test ends.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import { type ForeignApp, type Options, run, type Server } from "../../mod.ts";

const PATIENCE = 15_000;

/** Rejects if `promise` does not settle in time. */
export async function within<T>(promise: Promise<T>, what: string, time = PATIENCE): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${time} ms`)), time);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Polls until `isSo` returns true. */
export async function until(isSo: () => boolean, what: string, time = PATIENCE): Promise<void> {
  const end = performance.now() + time;
  while (!isSo()) {
    if (performance.now() > end) {
      throw new Error(`${what}: not within ${time} ms`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** An answer as the client received it. */
export class Answer {
  readonly version: string;
  readonly status: number;
  readonly reason: string;
  /** In the order received, with names in lower case. */
  readonly fields: [name: string, value: string][];
  /** Without chunked framing. */
  body: Buffer = Buffer.alloc(0);
  /** Whether the body ended as announced. */
  complete = false;

  constructor(head: string) {
    const [line, ...fields] = head.split("\r\n");
    const [, version, status, reason] = /^HTTP\/(\d\.\d) (\d{3}) (.*)$/.exec(line) ??
      assert.fail(`No status line: ${line}`);
    this.version = version;
    this.status = Number(status);
    this.reason = reason;
    this.fields = fields.map((field) => {
      const [, name, value] = /^([^: ]+): ?(.*)$/.exec(field) ?? assert.fail(`No field: ${field}`);
      return [name.toLowerCase(), value];
    });
  }

  /** All values of a field. */
  all(name: string): string[] {
    return this.fields.filter(([other]) => other === name).map(([, value]) => value);
  }

  /** The value of a field that must not be repeated. */
  get(name: string): string | undefined {
    const [value, ...others] = this.all(name);
    assert.deepEqual(others, [], `${name} comes several times`);
    return value;
  }

  /** The body as UTF-8. */
  get text(): string {
    return this.body.toString();
  }
}

/** One connection. */
export class Connection {
  readonly socket: Socket;
  /** Resolves when the server has closed the connection, even by a reset. */
  readonly closed: Promise<void>;
  #received = Buffer.alloc(0);
  #isClosed = false;
  #wake = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (data: Buffer) => {
      this.#received = Buffer.concat([this.#received, data]);
      this.#wake();
    });
    socket.on("error", () => {});
    this.closed = new Promise((resolve) => {
      const close = () => {
        this.#isClosed = true;
        this.#wake();
        resolve();
      };
      socket.on("end", close);
      socket.on("close", close);
    });
  }

  /** Sends octets; a string is taken as latin-1. */
  write(data: string | Uint8Array): this {
    this.socket.write(typeof data === "string" ? Buffer.from(data, "latin1") : data);
    return this;
  }

  /** Waits for more octets; false at the end. */
  async #more(): Promise<boolean> {
    if (this.#isClosed) {
      return false;
    }
    const size = this.#received.length;
    await within(new Promise<void>((resolve) => this.#wake = resolve), "an answer");
    return this.#received.length > size || await this.#more();
  }

  /** The octets before `mark`; `undefined` if it never comes. */
  async #line(mark: string): Promise<string | undefined> {
    let at = this.#received.indexOf(mark);
    while (at < 0) {
      if (!await this.#more()) {
        return undefined;
      }
      at = this.#received.indexOf(mark);
    }
    const line = this.#received.toString("latin1", 0, at);
    this.#received = this.#received.subarray(at + mark.length);
    return line;
  }

  /** The next octets; fewer than `size` if the connection ends first. */
  async #octets(size: number): Promise<Buffer> {
    while (this.#received.length < size && await this.#more());
    const octets = this.#received.subarray(0, size);
    this.#received = this.#received.subarray(octets.length);
    return octets;
  }

  /** The next chunk of a body; `undefined` after the last one or if it is cut. */
  async chunk(answer: Answer): Promise<Buffer | undefined> {
    const line = await this.#line("\r\n");
    const size = Number.parseInt(line ?? "", 16);
    if (Number.isNaN(size)) {
      return undefined;
    }
    const octets = await this.#octets(size + 2);
    answer.complete = size === 0 && octets.length === 2;
    return size === 0 ? undefined : octets.subarray(0, size);
  }

  /** Waits for an answer to begin; false if the connection ends instead. */
  async arrival(): Promise<boolean> {
    return this.#received.length > 0 || await this.#more();
  }

  /** The next status line and fields. */
  async head(): Promise<Answer> {
    const head = await this.#line("\r\n\r\n");
    return new Answer(head ?? assert.fail("The connection was closed without an answer"));
  }

  /** The next answer, as much of it as arrives. */
  async answer(method = "GET"): Promise<Answer> {
    const answer = await this.head();
    const length = answer.get("content-length");
    if (method === "HEAD" || answer.status < 200 || [204, 304].includes(answer.status)) {
      answer.complete = true;
    } else if (answer.get("transfer-encoding") === "chunked") {
      const parts: Buffer[] = [];
      for (let part = await this.chunk(answer); part; part = await this.chunk(answer)) {
        parts.push(part);
      }
      answer.body = Buffer.concat(parts);
    } else {
      answer.body = await this.#octets(length === undefined ? Infinity : Number(length));
      answer.complete = length === undefined || answer.body.length === Number(length);
    }
    return answer;
  }

  /** Closes the connection. */
  close(): void {
    this.socket.destroy();
  }
}

/** Where to connect to, and optionally from which local address. */
export type Target = { port: number; localAddress?: string } | { path: string };

/** Opens a connection. */
export function open(target: Target): Promise<Connection> {
  const socket = "path" in target
    ? connect({ path: target.path })
    : connect({ host: "127.0.0.1", port: target.port, localAddress: target.localAddress });
  const connection = new Connection(socket);
  return within(
    new Promise((resolve, reject) => {
      socket.on("connect", () => resolve(connection));
      socket.on("error", reject);
    }),
    "a connection",
  );
}

/** A request to send; field values are latin-1. */
export interface Ask {
  method?: string;
  target?: string;
  headers?: Record<string, string | string[]>;
  /** An array is sent in chunks. */
  body?: string | Uint8Array | (string | Uint8Array)[];
}

/** The octets of a request. */
export function octets(ask: Ask, connection = "close"): Uint8Array {
  const { body, headers = {} } = ask;
  const method = ask.method ?? (body === undefined ? "GET" : "POST");
  const lines = [`${method} ${ask.target ?? "/"} HTTP/1.1`];
  for (const [name, value] of Object.entries({ Host: "localhost", ...headers })) {
    lines.push(...[value].flat().map((each) => `${name}: ${each}`));
  }
  if (connection !== "") {
    lines.push(`Connection: ${connection}`);
  }
  const parts: (string | Uint8Array)[] = [];
  if (Array.isArray(body)) {
    lines.push("Transfer-Encoding: chunked");
    for (const part of body.map((each) => Buffer.from(each as string))) {
      parts.push(`${part.length.toString(16)}\r\n`, part, "\r\n");
    }
    parts.push("0\r\n\r\n");
  } else if (body !== undefined) {
    parts.push(body);
    lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  }
  const head = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  return Buffer.concat([head, ...parts.map((part) => Buffer.from(part as string))]);
}

/** Sends a request on a connection of its own. */
export async function ask(target: Target, what: Ask = {}): Promise<Answer> {
  const connection = await open(target);
  try {
    return await connection.write(octets(what)).answer(what.method);
  } finally {
    connection.close();
  }
}

/** Waits until the server holds no connection and no request. */
export async function quiet(server: Pick<Server, "metrics">): Promise<void> {
  const isQuiet = () => {
    const { connections_open, requests_in_flight } = server.metrics();
    return connections_open === 0 && requests_in_flight === 0;
  };
  await until(isQuiet, "no connection open, no request held", 5000).catch(() => {});
  const { connections_open, requests_in_flight } = server.metrics();
  assert.deepEqual({ connections_open, requests_in_flight }, {
    connections_open: 0,
    requests_in_flight: 0,
  });
}

/**
 * Runs `body` against a server on a free port, which must be idle afterwards. An error in a handler
 * fails the test, unless `options` has an `onError`.
 */
export async function serve(
  app: ForeignApp,
  body: (server: Server) => Promise<void>,
  options: Options = {},
): Promise<void> {
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  const server = run(app, { port: 0, onError, ...options });
  try {
    await body(server);
    await quiet(server);
  } catch (error) {
    throw errors[0] ?? error;
  } finally {
    server.stop();
  }
  assert.deepEqual(errors, []);
}

/** Runs `body` and returns what it logged with console.error(). */
export async function logged(body: () => Promise<void>): Promise<unknown[][]> {
  const lines: unknown[][] = [];
  const original = console.error;
  console.error = (...line: unknown[]) => void lines.push(line);
  try {
    await body();
  } finally {
    console.error = original;
  }
  return lines;
}
