/**
 * Response compression: gzip, br and deflate, by Accept-Encoding.
 *
 * @module
 */
import { promisify } from "node:util";
import {
  brotliCompress,
  constants,
  createBrotliCompress,
  createDeflate,
  createGzip,
  deflate,
  gzip,
} from "node:zlib";
import { handlerOf } from "../server/app.ts";
import { checkKind, refuseUnknown, wholeNumber } from "../server/checks.ts";
import { fileLength } from "../server/file.ts";
import { Response as RecordedResponse } from "../server/response.ts";
import type { App, Handler, NetAddr, Result } from "../server/types.ts";
import { preferred } from "./accept_encoding.ts";
import { Body } from "./body.ts";

/** A content coding (RFC 9110 section 8.4.1). */
export type Encoding = "br" | "gzip" | "deflate";

/** Options of {@linkcode compress}. */
export interface CompressOptions {
  /**
   * The codings offered; of those that the client accepts equally, the first is used.
   *
   * @default {["br", "gzip", "deflate"]}
   */
  encodings?: readonly Encoding[];
  /**
   * Bodies smaller than this, in bytes, are not compressed.
   *
   * @default {1024}
   */
  threshold?: number;
  /** Whether to compress a Content-Type; by default text and text-based formats. */
  filter?: (contentType: string) => boolean;
}

type Coder = ReturnType<typeof createGzip> | ReturnType<typeof createBrotliCompress>;

interface Codec {
  whole(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array>;
  /** Each chunk is flushed at once: a stream may be live. */
  stream(): Coder;
}

// Quality 11, the default, is for files compressed once.
const BROTLI = { [constants.BROTLI_PARAM_QUALITY]: 4 };

const CODECS: Record<Encoding, Codec> = {
  br: {
    whole: (bytes) => promisify(brotliCompress)(bytes, { params: BROTLI }),
    stream: () => createBrotliCompress({ params: BROTLI, flush: constants.BROTLI_OPERATION_FLUSH }),
  },
  gzip: {
    whole: (bytes) => promisify(gzip)(bytes, {}),
    stream: () => createGzip({ flush: constants.Z_SYNC_FLUSH }),
  },
  deflate: {
    whole: (bytes) => promisify(deflate)(bytes, {}),
    stream: () => createDeflate({ flush: constants.Z_SYNC_FLUSH }),
  },
};

const COMPRESSIBLE =
  /^(?:text\/|application\/(?:json|javascript|ecmascript|xml|wasm|manifest|rtf|x-ndjson|x-javascript|sql|graphql|vnd\.ms-fontobject)\b|font\/[ot]tf|image\/(?:bmp|x-icon|vnd\.microsoft\.icon)\b|[^;]+\+(?:json|xml|text|yaml)\b)/i;

function addVary(headers: Headers): void {
  const vary = headers.get("vary") ?? "";
  const names = vary.toLowerCase().split(",").map((name) => name.trim());
  if (!names.includes("*") && !names.includes("accept-encoding")) {
    headers.append("vary", "Accept-Encoding");
  }
}

/** The compressed representation differs: a strong validator would be wrong for its bytes. */
function markEncoded(headers: Headers, encoding: Encoding): void {
  headers.set("content-encoding", encoding);
  headers.delete("content-length");
  headers.delete("accept-ranges");
  const etag = headers.get("etag");
  if (etag !== null && !etag.startsWith("W/")) {
    headers.set("etag", `W/${etag}`);
  }
}

function remake(response: Response, body: BodyInit | null, headers: Headers): Response {
  const { status, statusText } = response;
  return new Response(body, { status, statusText, headers });
}

type Controller = ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;

/** The source of a compressed stream: a chunk is encoded once the previous one has been read. */
class CodedBody {
  readonly #body: Body;
  readonly #coder: Coder;
  #isCancelled = false;

  constructor(body: Body, coder: Coder) {
    this.#body = body;
    this.#coder = coder;
  }

  start(controller: Controller): void {
    this.#coder.on("data", (bytes: Uint8Array<ArrayBuffer>) => {
      if (!this.#isCancelled) {
        controller.enqueue(bytes);
      }
    });
    this.#coder.on("error", (error: Error) => controller.error(error));
  }

  async pull(controller: Controller): Promise<void> {
    try {
      const chunk = await this.#body.next();
      if (this.#isCancelled) {
        return;
      }
      await (chunk === undefined ? this.#end() : this.#write(chunk));
      if (chunk === undefined) {
        controller.close();
      }
    } catch (error) {
      this.#coder.destroy();
      throw error;
    }
  }

  async cancel(reason: unknown): Promise<void> {
    this.#isCancelled = true;
    this.#coder.destroy();
    await this.#body.cancel(reason);
  }

  #write(chunk: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#coder.write(chunk, (error?: Error | null) => error ? reject(error) : resolve());
    });
  }

  #end(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#coder.once("end", resolve).once("error", reject).end();
    });
  }
}

function encodeStream(body: Body, encoding: Encoding): ReadableStream<Uint8Array<ArrayBuffer>> {
  const source = new CodedBody(body, CODECS[encoding].stream());
  return new ReadableStream(source, { highWaterMark: 0 });
}

/** Compresses the responses of one app. */
class Compressor {
  readonly #encodings: readonly Encoding[];
  readonly #threshold: number;
  readonly #filter: (contentType: string) => boolean;

  constructor({ encodings, threshold, filter }: CompressOptions) {
    this.#encodings = encodings ?? ["br", "gzip", "deflate"];
    for (const encoding of this.#encodings) {
      if (!Object.hasOwn(CODECS, encoding)) {
        throw new TypeError(`There is no coding "${encoding}": it is br, gzip or deflate`);
      }
    }
    this.#threshold = wholeNumber("threshold", threshold ?? 1024, 0, Number.MAX_SAFE_INTEGER);
    this.#filter = filter ?? ((type) => COMPRESSIBLE.test(type));
    checkKind("filter", this.#filter, "function");
  }

  finish(result: Result, asked: Asked): Result | Promise<Result> {
    if (typeof result === "string") {
      // A char is 1 to 3 bytes. The native response hides its type in Bun.
      return 3 * result.length < this.#threshold
        ? result
        : this.#encode(new RecordedResponse(result), asked);
    }
    if (!(result instanceof Response)) {
      return result;
    }
    if (result.status === 304) {
      return confirm(result, asked);
    }
    return this.#isEligible(result) ? this.#encode(result, asked) : result;
  }

  /** Whether another request for it could get it compressed. */
  #isEligible(response: Response): boolean {
    const { status, headers } = response;
    const length = headers.get("content-length") ?? fileLength(response) ?? null;
    return status !== 204 && status !== 205 && status !== 206 &&
      !headers.has("content-encoding") && !headers.has("content-range") &&
      !/\bno-transform\b/i.test(headers.get("cache-control") ?? "") &&
      (length === null || Number(length) >= this.#threshold) &&
      this.#filter(headers.get("content-type") ?? "");
  }

  #encode(response: Response, asked: Asked): Response | Promise<Response> {
    const headers = new Headers(response.headers);
    addVary(headers);
    const [encoding] = preferred(asked.accept, this.#encodings);
    if (encoding === undefined) {
      return withHeaders(response, headers);
    }
    const body = Body.of(response);
    if (body === undefined) {
      return asked.isHead
        ? this.#foretell(response, headers, encoding)
        : remake(response, null, headers);
    }
    return body instanceof Promise
      ? body.then((read) => this.#encodeBody(response, read, headers, encoding))
      : this.#encodeBody(response, body, headers, encoding);
  }

  async #encodeBody(
    response: Response,
    body: Body,
    headers: Headers,
    encoding: Encoding,
  ): Promise<Response> {
    if (body.whole === undefined) {
      markEncoded(headers, encoding);
      return remake(response, encodeStream(body, encoding), headers);
    }
    if (body.whole.length < this.#threshold) {
      return remake(response, body.whole, headers);
    }
    markEncoded(headers, encoding);
    const bytes = await CODECS[encoding].whole(body.whole);
    return remake(response, bytes as Uint8Array<ArrayBuffer>, headers);
  }

  /** HEAD gets the fields of GET, as far as the length shows; not the new length. */
  #foretell(response: Response, headers: Headers, encoding: Encoding): Response {
    if (!headers.has("content-length")) {
      return remake(response, null, headers);
    }
    markEncoded(headers, encoding);
    const { status, statusText } = response;
    return new RecordedResponse(new ReadableStream(), { status, statusText, headers });
  }
}

/** The relevant parts of a request. */
interface Asked {
  isHead: boolean;
  accept: string | null;
  /** If-None-Match. */
  known: string | null;
}

function askedBy({ method, headers }: Request): Asked {
  return {
    isHead: method === "HEAD",
    accept: headers.get("accept-encoding"),
    known: headers.get("if-none-match"),
  };
}

/**
 * A 304 has the fields of the client's 200 (RFC 9110 section 15.4.5): a weak ETag if that was
 * compressed, and Vary, since its type is unknown.
 */
function confirm(response: Response, { known }: Asked): Response {
  const headers = new Headers(response.headers);
  const etag = headers.get("etag");
  if (etag !== null && known?.includes(`W/${etag}`)) {
    headers.set("etag", `W/${etag}`);
  }
  addVary(headers);
  return remake(response, null, headers);
}

/** Changes Vary in place if possible, which leaves the body untouched. */
function withHeaders(response: Response, headers: Headers): Response {
  try {
    response.headers.set("vary", headers.get("vary") ?? "");
    return response;
  } catch {
    return remake(response, response.body, headers); // immutable: it came from fetch()
  }
}

/**
 * Wraps an app so that its responses are compressed according to the request's Accept-Encoding,
 * including weights and `*`.
 *
 * Not compressed: small bodies, types that are already compressed, responses with a
 * Content-Encoding, ranges, `Cache-Control: no-transform`. Compressible responses get
 * `Vary: Accept-Encoding`, compressed ones a weak ETag. Streams are compressed chunk by chunk, each
 * sent at once. HEAD has the fields of GET.
 *
 * Compressing secrets together with text chosen by an attacker reveals them through the length
 * (BREACH).
 *
 * @throws {TypeError} If `app` is not callable, or an option is unknown or invalid.
 * @throws {RangeError} If `threshold` is out of range.
 *
 * @example
 * ```ts
 * import { run } from "@x/bjoern";
 * import { compress } from "@x/bjoern/contrib/compress";
 *
 * const server = run(compress(() => "Hello ".repeat(1000)), { port: 0 });
 * const response = await fetch(server.url, { headers: { "accept-encoding": "gzip" } });
 * console.log(response.headers.get("vary"), (await response.text()).length);
 * await server.shutdown();
 * ```
 */
export function compress<A = NetAddr>(app: App<A>, options: CompressOptions = {}): Handler<A> {
  const handler = handlerOf(app) as Handler<A>;
  refuseUnknown(options, ["encodings", "threshold", "filter"], "compress().");
  const compressor = new Compressor(options);
  return (request, info) => {
    const asked = askedBy(request);
    const result = handler(request, info);
    return result instanceof Promise
      ? result.then((settled) => compressor.finish(settled, asked))
      : compressor.finish(result, asked);
  };
}
