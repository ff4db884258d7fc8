/**
 * A `Response` that remembers what it was made from, so that it need not be read back.
 *
 * @module
 */
import { native } from "../ffi/native.ts";
import { type Head, isDecoded, JSON_TYPE, TEXT_TYPE } from "./head.ts";
import { fill, headOf, isPrepared } from "./init.ts";

const NativeResponse = globalThis.Response;

/** What is known about a response's body. */
export const Kind = {
  /** Only the native response knows. */
  UNKNOWN: 0,
  /** None. */
  EMPTY: 1,
  /** A string, which cannot change. */
  TEXT: 2,
  /** Bytes, a Blob, a form: complete, but only the native response has the copy. */
  STATIC: 3,
  /** A stream. */
  STREAM: 4,
  /** Returned by a handler before: its body is used. */
  SENT: 5,
  /** Like `STATIC`, but a clone may share the copy. */
  SHARED: 6,
  /** None, under the head of a fetched response: another server knows how long it is. */
  PASSED: 7,
} as const;

/** What a recorded response was made from. */
export interface Recorded {
  /** One of {@linkcode Kind}. */
  kind: number;
  /** The string, with `Kind.TEXT`. */
  text: string;
  /** One of {@linkcode Preset}. */
  preset: number;
  /** The head, if known. */
  head: Head | undefined;
}

/** Heads that need not be read back. */
export const Preset = {
  /** Any other: only the native response knows. */
  NONE: 0,
  /** 200 with the type of a text. */
  TEXT: 1,
  /** 200 with the type of JSON. */
  JSON: 2,
} as const;

/** Members that read the body. */
const READERS = ["text", "json", "arrayBuffer", "bytes", "blob", "formData"] as const;

/** Where {@linkcode takeRecord} writes. */
export function noRecord(): Recorded {
  return { kind: Kind.UNKNOWN, text: "", preset: Preset.NONE, head: undefined };
}

/** The init of `Response.json(data)`, recognised by identity. */
const JSON_INIT: ResponseInit = { headers: native.shared({ "content-type": JSON_TYPE }) };

/**
 * Frameworks create a new Response from an old one's body, at once. This is the last unread text
 * stream accessed, with its text. A WeakMap of all of them takes 6 % more time with Hono.
 */
let lastBody: ReadableStream | undefined;
let lastText = "";

/** Forgets that: no response is in progress. */
export function forgetLastBody(): void {
  lastBody = undefined;
  lastText = "";
}

/** Clones of recorded responses, which are native, and the kinds of their bodies. */
const clones = new WeakMap<object, number>();

/**
 * Reads the record of a response into `to` and takes it: a response is sent once. False if it
 * has none.
 */
export let takeRecord: (response: object, to: Recorded) => boolean;

/** Whether only the runtime knows what the response was made from. */
export let isForeign: (response: object) => boolean;

function kindOf(body: unknown): number {
  if (typeof body === "string") {
    return Kind.TEXT;
  }
  if (body === null || body === undefined) {
    return Kind.EMPTY;
  }
  if (body instanceof ReadableStream) {
    return Kind.STREAM;
  }
  if (
    body instanceof Blob || body instanceof ArrayBuffer || ArrayBuffer.isView(body) ||
    body instanceof URLSearchParams || body instanceof FormData
  ) {
    return Kind.STATIC;
  }
  // Anything else is converted to a text, which only the native response has.
  return Symbol.asyncIterator in Object(body) ? Kind.STREAM : Kind.UNKNOWN;
}

function presetOf(kind: number, init: ResponseInit | undefined): number {
  if (init === JSON_INIT) {
    return Preset.JSON;
  }
  return kind === Kind.TEXT && init === undefined ? Preset.TEXT : Preset.NONE;
}

/** Whether a body has its own type, known only to the native response. */
function isTyped(kind: number, body: unknown): boolean {
  return kind === Kind.UNKNOWN ||
    (kind === Kind.STATIC && !(body instanceof ArrayBuffer || ArrayBuffer.isView(body)));
}

/**
 * The native `Response` in every respect. While a server runs it replaces `globalThis.Response` (see
 * `patchGlobals`); import it to use it without that. For complete types on Bun,
 * tsconfig.json needs `"lib": ["ESNext", "DOM"]`.
 *
 * @example
 * ```ts
 * import { Response, run } from "@x/bjoern";
 *
 * const server = run(() => new Response("Hello"), { port: 0, patchGlobals: false });
 * console.log(await (await fetch(server.url)).text()); // Hello
 * await server.shutdown();
 * ```
 */
class RecordedResponse extends globalThis.Response {
  #kind: number;
  #text = "";
  #preset: number;
  #head: Head | undefined;
  #untyped = false;

  /** Like the native one. */
  constructor(body?: BodyInit | null, init?: ResponseInit) {
    const kind = kindOf(body);
    const preset = presetOf(kind, init);
    const head = preset === Preset.NONE && !isTyped(kind, body)
      ? headOf(init, kind === Kind.TEXT ? TEXT_TYPE : undefined)
      : undefined;
    const fillsLater = head !== undefined && isPrepared(init ?? {});
    super(body, fillsLater ? { status: head.status } : init);
    this.#kind = kind;
    this.#preset = preset;
    this.#head = head;
    this.#untyped = kind === Kind.TEXT || kind === Kind.UNKNOWN;
    if (typeof body === "string") {
      this.#text = body;
    } else if (kind === Kind.STREAM) {
      this.#recall(body as ReadableStream);
    }
    if (fillsLater) {
      fill(super.headers, init!);
    } else if (head === undefined && preset === Preset.NONE && RecordedResponse.#isFetched(init)) {
      this.#adopt(init as Response);
    }
  }

  static #isFetched(init: ResponseInit | null | undefined): boolean {
    return typeof init === "object" && init !== null && !(#kind in init) &&
      init instanceof NativeResponse && init.url !== "";
  }

  /** Takes over a fetched head, whose coding and length describe what was sent, not the body. */
  #adopt(fetched: Response): void {
    if (this.#kind === Kind.EMPTY) {
      this.#kind = Kind.PASSED;
    } else if (isDecoded(fetched)) {
      super.headers.delete("content-encoding");
      super.headers.delete("content-length");
    }
  }

  /** An unread stream of a text is replaced by that text. */
  #recall(body: ReadableStream): void {
    if (body === lastBody) {
      this.#kind = Kind.TEXT;
      this.#text = lastText;
      forgetLastBody();
    }
  }

  /** Like the native one. */
  static override json(data: unknown, init?: ResponseInit): Response {
    const text = JSON.stringify(data);
    if (text === undefined) {
      throw new TypeError("Response.json: the value has no JSON form");
    }
    if (init === undefined || init === null) {
      return new RecordedResponse(text, JSON_INIT);
    }
    // Bun takes a number as the status; anything but an init is left to the runtime.
    const given: ResponseInit = typeof init === "object" ? init : super.json(null, init);
    const { status, statusText } = given;
    const headers = new Headers(init.headers);
    if (!headers.has("content-type")) {
      headers.set("content-type", JSON_TYPE);
    }
    const response = new RecordedResponse(text, { status, statusText, headers });
    response.#head ??= headOf(init, JSON_TYPE);
    return response;
  }

  /** Like the native one. */
  static override redirect(url: string | URL, status?: number): Response {
    const { headers, status: chosen } = super.redirect(url, status);
    return new RecordedResponse(null, { status: chosen, headers });
  }

  /** Native responses are instances; subclasses only have their own. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return Function.prototype[Symbol.hasInstance].call(
      this === RecordedResponse ? NativeResponse : this,
      value,
    );
  }

  /** Headers that were handed out may be changed. Those of a text have its type (Bun omits it). */
  override get headers(): Headers {
    const headers = super.headers;
    this.#preset = Preset.NONE;
    this.#head = undefined;
    if (this.#untyped) {
      this.#untyped = false;
      if (!headers.has("content-type")) {
        headers.set("content-type", TEXT_TYPE);
      }
    }
    return headers;
  }

  /** Like the native one. */
  override clone(): Response {
    this.#kind = this.#kind === Kind.STATIC ? Kind.SHARED : this.#kind;
    const clone = this.headers && super.clone();
    clones.set(clone, this.#kind);
    return clone;
  }

  /** Like the native one. */
  override get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    const body = super.body;
    if (this.#kind === Kind.TEXT && body !== null) {
      lastBody = body;
      lastText = this.#text;
    }
    this.#kind = Kind.UNKNOWN;
    return body;
  }

  /** Whether the members for its head have not been overridden. */
  get #isAsMade(): boolean {
    return Object.getPrototypeOf(this) === RecordedResponse.prototype &&
      !Object.hasOwn(this, "status") && !Object.hasOwn(this, "headers");
  }

  // Reading the body through native members uses it.
  static {
    for (const name of READERS) {
      const own = {
        [name](this: RecordedResponse): Promise<unknown> {
          this.#kind = Kind.UNKNOWN;
          return NativeResponse.prototype[name].call(this);
        },
      };
      const value = own[name];
      Object.defineProperty(this.prototype, name, { configurable: true, writable: true, value });
    }
  }

  // Operations for the server only are not members.
  static {
    takeRecord = (response, to) => {
      if (!(#kind in response)) {
        return false;
      }
      const isAsMade = response.#isAsMade;
      const isEmpty = response.#kind === Kind.EMPTY || response.#kind === Kind.PASSED;
      to.kind = response.#kind;
      to.text = response.#text;
      to.preset = isAsMade ? response.#preset : Preset.NONE;
      to.head = isAsMade ? response.#head : undefined;
      response.#kind = isEmpty ? response.#kind : Kind.SENT;
      return true;
    };
    isForeign = (response) => !(#kind in response) && !clones.has(response);
  }
}
Object.defineProperty(RecordedResponse, "name", { value: "Response" });

export { RecordedResponse as Response };

/** Whether it is a clone with a complete body. */
export function isWholeClone(response: object): boolean {
  const kind = clones.get(response);
  return kind === Kind.SHARED || kind === Kind.TEXT;
}

/** Whether it is a response, recorded or not. */
export function isResponse(value: unknown): value is globalThis.Response {
  return value instanceof NativeResponse;
}
