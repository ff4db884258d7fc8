/**
 * A request's body as a readable file: the counterpart of `wsgi.input`.
 *
 * @module
 */
import { concat } from "./items.ts";

const LINE_FEED = 10;
const NOTHING = new Uint8Array();

/** As in Python, a negative size means everything. */
function most(size: number): number {
  if (typeof size !== "number" || Number.isNaN(size)) {
    throw new RangeError(`A size must be a number of bytes: ${size}`);
  }
  return size < 0 ? Infinity : size;
}

/**
 * Reads a request's body, which need not have arrived yet. At the end all methods return an empty
 * value; they reject if the client has left or violated the protocol.
 *
 * @example
 * ```ts
 * import { environ } from "@x/bjoern/contrib/environ";
 * import { run } from "@x/bjoern";
 *
 * const server = run(
 *   environ(async (env, startResponse) => {
 *     let lines = 0;
 *     for await (const _line of env["wsgi.input"]) lines++;
 *     startResponse("200 OK", [["Content-Type", "text/plain"]]);
 *     return `${lines} lines\n`;
 *   }),
 *   { port: 0 },
 * );
 * console.log(await (await fetch(server.url, { method: "POST", body: "a\nb\n" })).text());
 * await server.shutdown();
 * ```
 */
export class Input {
  readonly #request: Request;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  /** What has arrived but was not read yet. */
  #rest: Uint8Array = NOTHING;

  /** Used by {@linkcode environ}. */
  constructor(request: Request) {
    this.#request = request;
  }

  /** The next part that arrives; `undefined` at the end. */
  async #more(): Promise<Uint8Array | undefined> {
    this.#reader ??= this.#request.body?.getReader();
    const part = await this.#reader?.read();
    return part?.value;
  }

  #take(size: number): Uint8Array {
    const taken = this.#rest.subarray(0, size);
    this.#rest = this.#rest.subarray(taken.length);
    return taken;
  }

  /**
   * Reads `size` bytes, fewer at the end of the body; without `size`, or with -1, all that is left.
   *
   * @throws {RangeError} If `size` is not a number.
   */
  async read(size: number = Infinity): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let missing = most(size);
    while (missing > 0) {
      if (this.#rest.length === 0) {
        const part = await this.#more();
        if (part === undefined) {
          break;
        }
        this.#rest = part;
      }
      const taken = this.#take(missing);
      parts.push(taken);
      missing -= taken.length;
    }
    return concat(parts);
  }

  /**
   * Reads one line with its line feed, at most `size` bytes of it.
   *
   * @throws {RangeError} If `size` is not a number.
   */
  async readline(size: number = Infinity): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let missing = most(size);
    while (missing > 0) {
      const end = this.#rest.indexOf(LINE_FEED) + 1;
      const taken = this.#take(Math.min(end || Infinity, missing));
      parts.push(taken);
      missing -= taken.length;
      if (end > 0 || missing === 0) {
        break;
      }
      const part = await this.#more();
      if (part === undefined) {
        break;
      }
      this.#rest = part;
    }
    return concat(parts);
  }

  /** Reads all remaining lines. */
  async readlines(): Promise<Uint8Array[]> {
    const lines: Uint8Array[] = [];
    for await (const line of this) {
      lines.push(line);
    }
    return lines;
  }

  /** Reads the rest as UTF-8. */
  async text(): Promise<string> {
    return new TextDecoder().decode(await this.read());
  }

  /** The remaining lines. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for (let line = await this.readline(); line.length > 0; line = await this.readline()) {
      yield line;
    }
  }
}
