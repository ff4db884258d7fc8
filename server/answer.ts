/**
 * Turns a handler's result into commands.
 *
 * @module
 */
import { native } from "../ffi/native.ts";
import { RequestError, requestError } from "./errors.ts";
import { type Exchange, State } from "./exchange.ts";
import { type Head, JSON_TYPE, nameType, readHead, TEXT_TYPE } from "./head.ts";
import { type Part, takePart } from "./file.ts";
import { OUTPUT_SIZE } from "./memory.ts";
import { Reason, WriteFlag } from "./records.ts";
import {
  isForeign,
  isResponse,
  isWholeClone,
  Kind,
  noRecord,
  Preset,
  type Recorded,
  takeRecord,
} from "./response.ts";
import type { Block } from "./output.ts";
import { makeRequest } from "./request.ts";
import { complain } from "./say.ts";
import { pump, pumpHead, pumpText, sendDirect } from "./stream.ts";
import type { OnError } from "./types.ts";
import { PART_SIZE, type Writer } from "./writer.ts";

/** Larger bytes are sent in place. */
const MOST_COPIED = 16384;
/** Less memory than this is left to the collector: releasing it costs as much. */
const LEAST_GIVEN_BACK = 4096;
const LONGEST_TEXT = Math.floor(PART_SIZE / 3);
const USED = "The response's body is used already: return a clone() of it";

function describe(value: unknown): string {
  return value === null ? "null" : typeof value === "object" ? "an object" : typeof value;
}

/** Whether an error only means that the client has left or made a mistake. */
function isDeparture(exchange: Exchange, error: unknown): boolean {
  return (exchange.state === State.ABORTED || exchange.hasLeft) &&
    (error instanceof RequestError || (error instanceof Error && error.name === "AbortError"));
}

/** Logs an error with its request, if that can still be read. */
function log(exchange: Exchange, error: unknown): void {
  let [method, target] = ["a", "request"];
  try {
    ({ method, rawTarget: target } = exchange);
  } catch {
    // It is over.
  }
  complain("%s %s:", method, target, error);
}

/** Whether no body follows the head (RFC 9110 section 6.4.1): Bun's Response may still have one. */
function isBodiless(exchange: Exchange, status: number): boolean {
  return exchange.isHead || status === 204 || status === 205 || status === 304;
}

/** Answers a server's requests. */
export class Answerer {
  readonly #writer: Writer;
  readonly #onError: OnError | undefined;
  readonly #textFields: Block;
  readonly #jsonFields: Block;
  readonly #recorded: Recorded = noRecord();

  constructor(writer: Writer, onError: OnError | undefined) {
    this.#writer = writer;
    this.#onError = onError;
    this.#textFields = writer.keep(`content-type: ${TEXT_TYPE}\r\n`);
    this.#jsonFields = writer.keep(`content-type: ${JSON_TYPE}\r\n`);
  }

  /** Takes a handler's result: most have become commands when this returns. */
  answer(exchange: Exchange, result: unknown): void {
    if (typeof result === "string") {
      this.#sendText(exchange, 200, 0, this.#textFields, result);
    } else if (typeof result !== "object" || result === null) {
      this.fail(exchange, notAResponse(result));
    } else if (takeRecord(result, this.#recorded)) {
      this.#sendRecorded(exchange, result as Response);
    } else if (result instanceof Promise) {
      result.then(
        (settled) => this.answer(exchange, settled),
        (error) => this.fail(exchange, error),
      );
    } else {
      this.#sendOther(exchange, result);
    }
  }

  #sendRecorded(exchange: Exchange, response: Response): void {
    const { kind, text, preset, head: known } = this.#recorded;
    if (kind === Kind.TEXT && preset !== Preset.NONE) {
      const fields = preset === Preset.TEXT ? this.#textFields : this.#jsonFields;
      this.#sendText(exchange, 200, 0, fields, text);
      return;
    }
    this.#attempt(exchange, () => {
      const head = known ?? readHead(response);
      switch (kind) {
        case Kind.TEXT:
          return this.#sendText(exchange, head.status, head.flags, this.#lines(head), text);
        case Kind.EMPTY:
          return this.#sendEmpty(exchange, head);
        case Kind.PASSED:
          return this.#passOn(exchange, head);
        case Kind.SENT:
          throw new TypeError(USED);
        case Kind.STATIC:
        case Kind.SHARED:
          return this.#sendStatic(exchange, head, response, kind === Kind.STATIC);
        default:
          return this.#sendBody(exchange, response, head, kind === Kind.STREAM);
      }
    });
  }

  #sendOther(exchange: Exchange, result: object): void {
    this.#attempt(exchange, () => {
      if (isResponse(result)) {
        if (isWholeClone(result) && !result.bodyUsed) {
          return this.#sendStatic(exchange, readHead(result), result, false);
        }
        return this.#sendBody(exchange, result, readHead(result), false);
      }
      if (result instanceof Uint8Array) {
        return this.#sendBytes(exchange, PLAIN, result);
      }
      if ("then" in result && typeof result.then === "function") {
        return Promise.resolve(result).then((settled) => this.answer(exchange, settled));
      }
      throw notAResponse(result);
    });
  }

  /** Any failure becomes an error response. */
  #attempt(exchange: Exchange, action: () => void | Promise<void>): void {
    try {
      action()?.catch((error) => this.fail(exchange, error));
    } catch (error) {
      this.fail(exchange, error);
    }
  }

  /** Writes the head's lines, leaving room for a command and one part of a body. */
  #lines(head: Head): Block {
    if (head.lines.length > OUTPUT_SIZE / 4) {
      const most = OUTPUT_SIZE / 4;
      throw new RangeError(`Response headers of ${head.lines.length} bytes are more than ${most}`);
    }
    this.#writer.room(head.lines.length + PART_SIZE);
    return this.#writer.latin1(head.lines);
  }

  #sendText(exchange: Exchange, status: number, flags: number, fields: Block, text: string): void {
    if (exchange.over) {
      return;
    }
    this.#writer.room(PART_SIZE); // already ensured if `fields` are written by #lines()
    if (text.length > LONGEST_TEXT) {
      this.#sendLongText(exchange, status, flags, fields, text);
      return;
    }
    this.#writer.text(exchange, status, flags, fields, text);
  }

  /** The head of a body that is sent in place. That of a 304 has no length. */
  #sendHead(
    exchange: Exchange,
    status: number,
    flags: number,
    fields: Block,
    length: number,
    end: boolean,
  ): void {
    const all = end ? flags : flags | WriteFlag.DIRECT;
    this.#writer.head(exchange, status, all, fields, status === 304 ? undefined : length, end);
  }

  /** Its length is known once encoded, except for what the output memory cannot hold. */
  #sendLongText(
    exchange: Exchange,
    status: number,
    flags: number,
    fields: Block,
    text: string,
  ): void {
    const end = isBodiless(exchange, status);
    const first = this.#writer.encode(text);
    const length = first.bytes.length + Buffer.byteLength(text.slice(first.read));
    this.#sendHead(exchange, status, flags, fields, length, end);
    if (!end) {
      this.#attempt(exchange, () => pumpText(this.#writer, exchange, text, first));
    }
  }

  /** No body: the handler's Content-Length is sent only for HEAD and 304. */
  #sendEmpty(exchange: Exchange, head: Head): void {
    const foretells = exchange.isHead || head.status === 304;
    const length = foretells && head.length! >= 0 ? head.length : undefined;
    if (!exchange.over) {
      this.#writer.head(exchange, head.status, head.flags, this.#lines(head), length, true);
    }
  }

  /** No body, of another server: to HEAD it has told the length, or nothing is known of it. */
  #passOn(exchange: Exchange, head: Head): void {
    if (!exchange.isHead || head.length !== undefined || exchange.over) {
      this.#sendEmpty(exchange, head);
      return;
    }
    this.#writer.head(exchange, head.status, head.flags, this.#lines(head), undefined, false);
    this.#writer.end(exchange);
  }

  /**
   * The response's own copy of its bytes. It is released as soon as it is sent, so that the next
   * response gets memory that is still in the processor's cache, and the collector has nothing to
   * do.
   */
  #sendStatic(
    exchange: Exchange,
    head: Head,
    response: Response,
    isOwn: boolean,
  ): Promise<void> | undefined {
    const bytes = native.bytesOf(response);
    if (bytes instanceof Promise) {
      return bytes.then((late) => this.#sendBytes(exchange, head, late));
    }
    const sending = this.#sendBytes(exchange, head, bytes);
    if (!isOwn || bytes.length < LEAST_GIVEN_BACK) {
      return sending;
    }
    const giveBack = () => void bytes.buffer.transfer(0);
    return sending === undefined ? giveBack() : sending.then(giveBack);
  }

  #sendBytes(exchange: Exchange, head: Head, bytes: Uint8Array): Promise<void> | undefined {
    if (exchange.over) {
      return;
    }
    if (bytes.length <= MOST_COPIED && !exchange.isHead && head.status !== 304) {
      this.#writer.whole(exchange, head.status, head.flags, this.#lines(head), bytes);
      return;
    }
    const end = isBodiless(exchange, head.status) || bytes.length === 0;
    this.#sendHead(exchange, head.status, head.flags, this.#lines(head), bytes.length, end);
    return end ? undefined : sendDirect(this.#writer, exchange, bytes);
  }

  /** A body that can only be read through the public API. */
  async #sendBody(
    exchange: Exchange,
    response: Response,
    head: Head,
    isStream: boolean,
  ): Promise<void> {
    const body = response.body;
    if (response.bodyUsed || body?.locked) {
      throw new TypeError(USED);
    }
    if (body === null) {
      response.url === "" ? this.#sendEmpty(exchange, head) : this.#passOn(exchange, head);
      return;
    }
    if (exchange.over) {
      await body.cancel();
      return;
    }
    const part = takePart(body);
    if (part !== undefined) {
      this.#sendFile(exchange, head, part);
      return;
    }
    if (Number.isNaN(head.length)) {
      body.cancel().catch(() => {});
      throw new TypeError("The response's Content-Length is not a number");
    }
    const start = (length: number | undefined, whole?: Uint8Array) => {
      if (whole !== undefined && isForeign(response)) {
        nameType(head, whole);
      }
      this.#writer.head(exchange, head.status, head.flags, this.#lines(head), length, false);
    };
    if (exchange.isHead && !isStream && head.length === undefined) {
      await pumpHead(this.#writer, exchange, body, start);
      return;
    }
    if (exchange.isHead) {
      start(head.length);
      this.#writer.end(exchange);
      await body.cancel();
      return;
    }
    await pump(this.#writer, exchange, body, start, head.length, isStream);
  }

  #sendFile(exchange: Exchange, head: Head, part: Part): void {
    try {
      const lines = this.#lines(head);
      if (exchange.isHead) {
        this.#writer.head(exchange, head.status, head.flags, lines, part.length, true);
      } else {
        this.#writer.file(exchange, head.status, head.flags, lines, part);
      }
    } finally {
      part.file.close(); // unless the library has taken it
    }
  }

  /**
   * Logs the error or passes it to `onError`, and answers with 500 unless the response has begun.
   */
  fail(exchange: Exchange, error: unknown): void {
    if (isDeparture(exchange, error)) {
      this.#writer.cut(exchange, error instanceof RequestError ? error : requestError(0));
      return;
    }
    if (this.#onError === undefined) {
      this.#sendError(exchange);
      log(exchange, error);
      return;
    }
    this.#ask(exchange, error, this.#onError).catch((second) => {
      this.#sendError(exchange);
      log(exchange, error);
      complain("onError failed too:", second);
    });
  }

  /** Logs an error that no response waits for, or passes it to `onError`. */
  report(exchange: Exchange, error: unknown): void {
    Promise.resolve(error)
      .then((error) =>
        this.#onError === undefined
          ? log(exchange, error)
          : this.#onError(error, makeRequest(exchange), exchange)
      )
      .catch((second) => complain("onError failed:", second, "after:", error));
  }

  async #ask(exchange: Exchange, error: unknown, onError: OnError): Promise<void> {
    const response = await onError(error, makeRequest(exchange), exchange) ?? undefined;
    if (response !== undefined && !isResponse(response)) {
      throw new TypeError(`onError must return a Response or nothing, not ${describe(response)}`);
    }
    if (exchange.state !== State.OPEN || response === undefined) {
      this.#sendError(exchange);
      return;
    }
    const head = readHead(response);
    head.flags |= WriteFlag.FAILED;
    const bytes = response.body === null ? undefined : await response.bytes();
    if (bytes === undefined) {
      this.#sendEmpty(exchange, head);
    } else {
      await this.#sendBytes(exchange, head, bytes);
    }
  }

  #sendError(exchange: Exchange): void {
    if (exchange.state === State.OPEN) {
      const text = "Internal Server Error";
      const flags = WriteFlag.CLOSE | WriteFlag.FAILED;
      this.#sendText(exchange, 500, flags, this.#textFields, text);
    } else {
      this.#writer.cut(exchange, requestError(Reason.CUT));
    }
  }
}

const PLAIN: Head = { status: 200, flags: 0, lines: "", length: undefined, untyped: false };

function notAResponse(result: unknown): TypeError {
  return new TypeError(
    `A handler must return a Response, a string or a Uint8Array, not ${describe(result)}`,
  );
}
