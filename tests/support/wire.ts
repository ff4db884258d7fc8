/**
 * Raw TCP clients for the wire tests: they send exactly what the test says, and parse what they
 * receive strictly by RFC 9112.
 *
 * Octets are strings of characters up to U+00FF.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";

/** How long a failing test waits; tests that pass do not depend on it. */
const PATIENCE = 15_000;

const STATUS_LINE = /^HTTP\/1\.1 ([1-5]\d\d) ([\t\x20-\x7e\x80-\xff]*)$/;
const FIELD_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/;
const CHUNK_LINE = /^[0-9A-Fa-f]{1,15}$/;
const DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z][a-z] \d{4} \d\d:\d\d:\d\d GMT$/;
const SINGLE = [
  ...["connection", "content-length", "content-type", "date", "keep-alive", "location"],
  "transfer-encoding",
];

/** How the end of a response's body is found (RFC 9112 section 6.3). */
export type Framing = "none" | "length" | "chunked" | "close";

/** A response as received. */
export interface Answer {
  status: number;
  reason: string;
  /** By lower-case name; lines of the same name are joined with "\n". */
  fields: Record<string, string>;
  framing: Framing;
  body: string;
  /** Whether the body ended as its framing announced. */
  whole: boolean;
}

/** What about the request determines how its response is read. */
export interface Asked {
  /** The response has no body, whatever its fields say. */
  head?: boolean;
  /** The client speaks HTTP/1.0. */
  http10?: boolean;
}

/** Makes octets readable in a message. */
export function show(octets: string): string {
  const text = JSON.stringify(octets);
  return text.length < 300 ? text : `${text.slice(0, 200)}... (${octets.length} octets)`;
}

/** Counts the octets that the clients of one server have sent. */
export interface Tally {
  sent: number;
}

/** One connection. */
export class Client {
  readonly #socket: Socket;
  readonly #tally: Tally;
  #received = "";
  #ended = false;
  #reset = false;
  #sentAt = 0;
  #arrived = Promise.withResolvers<void>();

  private constructor(socket: Socket, tally: Tally) {
    this.#socket = socket;
    this.#tally = tally;
    socket.setNoDelay(true);
    socket.on("data", (data) => {
      this.#received += Buffer.from(data as Uint8Array).toString("latin1");
      this.#wake();
    });
    socket.on("end", () => this.#end(false));
    socket.on("close", () => this.#end(false));
    socket.on("error", () => this.#end(true));
  }

  /** Connects to a local port. */
  static async open(port: number, tally: Tally = { sent: 0 }): Promise<Client> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true }, resolve);
    socket.once("error", reject);
    await promise;
    return new Client(socket, tally);
  }

  #wake(): void {
    this.#arrived.resolve();
    this.#arrived = Promise.withResolvers();
  }

  #end(reset: boolean): void {
    this.#ended = true;
    this.#reset ||= reset;
    this.#wake();
  }

  /** Whether the server has closed its side. */
  get ended(): boolean {
    return this.#ended;
  }

  /** What was received but not read. */
  get unread(): string {
    return this.#received;
  }

  /** Passes octets to the kernel. That the server has closed the connection is not an error. */
  send(octets: string): Promise<void> {
    if (octets === "" || this.#socket.destroyed) {
      return Promise.resolve();
    }
    this.#tally.sent += octets.length;
    this.#sentAt = performance.now();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#socket.once("close", resolve);
    this.#socket.write(Buffer.from(octets, "latin1"), () => {
      this.#socket.off("close", resolve);
      resolve();
    });
    return promise;
  }

  /** Stops reading until {@linkcode resume}, so that the kernel's buffers fill up. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Half-closes the connection, and goes on reading. */
  halfClose(): void {
    this.#socket.end();
  }

  /** Closes the connection. */
  close(): void {
    this.#socket.destroy();
  }

  /** Waits for octets or the end. Time counts from the last send, which may be a long trickle. */
  async #more(what: string): Promise<void> {
    const { promise, reject } = Promise.withResolvers<never>();
    const begun = performance.now();
    let timer: ReturnType<typeof setTimeout>;
    const lookAgain = () => {
      const left = Math.max(begun, this.#sentAt) + PATIENCE - performance.now();
      if (left > 0) {
        timer = setTimeout(lookAgain, left);
      } else {
        reject(new Error(`${what} has not come; unread: ${show(this.#received)}`));
      }
    };
    timer = setTimeout(lookAgain, PATIENCE);
    try {
      await Promise.race([this.#arrived.promise, promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Waits for something to read; false if the server closes instead. */
  async arrival(what = "anything"): Promise<boolean> {
    while (this.#received === "" && !this.#ended) {
      await this.#more(what);
    }
    return this.#received !== "";
  }

  /** Expects the server to close without another octet. */
  async end(): Promise<void> {
    while (!this.#ended && this.#received === "") {
      await this.#more("the end of the connection");
    }
    assert.equal(this.#received, "", "octets after the last response");
  }

  /** Expects a reset by the server; what it sent before may be lost. */
  async resetting(): Promise<void> {
    while (!this.#ended) {
      await this.#more("the end of the connection");
    }
    assert(this.#reset, "the connection is reset");
  }

  async #line(what: string): Promise<string> {
    let at: number;
    while ((at = this.#received.indexOf("\n")) < 0) {
      assert(!this.#ended, `the connection ends instead of ${what}: ${show(this.#received)}`);
      await this.#more(what);
    }
    const line = this.#received.slice(0, at + 1);
    this.#received = this.#received.slice(at + 1);
    assert.match(line, /^[^\r\n]*\r\n$/, `${what} ends with CRLF`);
    return line.slice(0, -2);
  }

  /** Moves up to `size` octets to the body: fewer if the connection ends first. */
  async #take(answer: Answer, size: number): Promise<boolean> {
    while (this.#received.length < size && !this.#ended) {
      await this.#more(`a body, now at ${this.#received.length} of ${size} octets,`);
    }
    answer.body += this.#received.slice(0, size);
    const whole = this.#received.length >= size;
    this.#received = this.#received.slice(size);
    return whole;
  }

  async #chunks(answer: Answer): Promise<boolean> {
    while (this.#received !== "" || await this.arrival("a chunk")) {
      const line = await this.#line("a chunk's size");
      assert.match(line, CHUNK_LINE);
      const size = parseInt(line, 16);
      if (size === 0) {
        assert.equal(await this.#line("the end of the trailers"), "");
        return true;
      }
      if (!await this.#take(answer, size)) {
        return false;
      }
      assert.equal(await this.#line("the end of a chunk"), "");
    }
    return false;
  }

  async #body(answer: Answer): Promise<boolean> {
    switch (answer.framing) {
      case "none":
        return true;
      case "length":
        return await this.#take(answer, Number(answer.fields["content-length"]));
      case "chunked":
        return await this.#chunks(answer);
      case "close":
        await this.#take(answer, Infinity);
        return !this.#reset;
    }
  }

  /** Reads one response, interim or final. */
  async answer(asked: Asked = {}): Promise<Answer> {
    const line = STATUS_LINE.exec(await this.#line("a status line"));
    assert(line, "the status line is well-formed");
    const answer: Answer = {
      status: Number(line[1]),
      reason: line[2],
      fields: {},
      framing: "none",
      body: "",
      whole: false,
    };
    for (let text; (text = await this.#line("a field line")) !== "";) {
      const field = FIELD_LINE.exec(text);
      assert(field, `${show(text)} is a field line`);
      const name = field[1].toLowerCase();
      assert(!(name in answer.fields && SINGLE.includes(name)), `${name} comes once`);
      answer.fields[name] = name in answer.fields
        ? `${answer.fields[name]}\n${field[2]}`
        : field[2];
    }
    answer.framing = framingOf(answer, asked);
    answer.whole = await this.#body(answer);
    return answer;
  }
}

/** The framing by RFC 9112 section 6.3; checks section 6.2 and RFC 9110 section 8.6. */
function framingOf({ status, fields }: Answer, { head, http10 }: Asked): Framing {
  const length = fields["content-length"], coding = fields["transfer-encoding"];
  assert(length === undefined || coding === undefined, "not both length and coding");
  assert(coding === undefined || (coding === "chunked" && !http10), `not the coding ${coding}`);
  assert(length === undefined || /^\d{1,15}$/.test(length), `${length} is a length`);
  if (status < 200 || status === 204) {
    assert(length === undefined && coding === undefined, `${status} has no framing`);
    assert(status >= 200 || !http10, "1.0 knows no interim response");
  }
  if (status >= 200) {
    assert.match(fields.date ?? "no Date", DATE);
  }
  if (head || status < 200 || status === 204 || status === 304) {
    return "none";
  }
  return length !== undefined ? "length" : coding !== undefined ? "chunked" : "close";
}

/** The parts of a request besides its target. */
export interface Parts {
  method?: string;
  version?: string;
  /** `null` omits the field. */
  host?: string | null;
  /** Lines without their CRLF. */
  fields?: string[];
  /** With a Content-Length, unless the fields have framing of their own. */
  body?: string;
}

/** Writes a request. */
export function ask(target = "/", parts: Parts = {}): string {
  const { method = "GET", version = "1.1", host = "h", fields = [], body = "" } = parts;
  const lines = [`${method} ${target} HTTP/${version}`];
  if (host !== null) {
    lines.push(`Host: ${host}`);
  }
  lines.push(...fields);
  if (body !== "" && !fields.some((field) => /^(content-length|transfer-)/i.test(field))) {
    lines.push(`Content-Length: ${body.length}`);
  }
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}

/** Writes a POST whose chunked body is `coded`. */
export function post(coded: string, target = "/body", fields: string[] = []): string {
  return ask(target, {
    method: "POST",
    fields: ["Transfer-Encoding: chunked", ...fields],
    body: coded,
  });
}

/** Writes a chunked body. */
export function chunked(...parts: string[]): string {
  const chunks = parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`);
  return `${chunks.join("")}0\r\n\r\n`;
}
