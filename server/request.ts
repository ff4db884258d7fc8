/**
 * The handler's request: a `Request` read from the wire on demand.
 *
 * @module
 */
import type { Exchange } from "./exchange.ts";
import { makeHeaders, nativeHeaders } from "./headers.ts";

const NativeRequest = globalThis.Request;

function usedUp(): TypeError {
  return new TypeError("Cannot copy a request whose body is used");
}

/**
 * `instanceof Request` holds, and all members behave like the native ones, but nothing is decoded
 * or built before it is needed. What only a native request can do (`clone()`, being copied)
 * builds one.
 */
class ServerRequest {
  readonly #exchange: Exchange;
  #url: string | undefined = undefined;
  #headers: Headers | undefined = undefined;
  #native: Request | undefined = undefined;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  get method(): string {
    return this.#exchange.method;
  }

  get url(): string {
    return this.#url ??= this.#exchange.url;
  }

  get headers(): Headers {
    return this.#headers ??= makeHeaders(this.#exchange);
  }

  get signal(): AbortSignal {
    return this.#exchange.signal;
  }

  /** A body that Fetch does not allow (GET, HEAD) is hidden; the server drops it. */
  get #body() {
    const method = this.#exchange.method;
    return method === "GET" || method === "HEAD" ? null : this.#exchange.body;
  }

  get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    return this.#native !== undefined ? this.#native.body : this.#body?.stream ?? null;
  }

  get bodyUsed(): boolean {
    return this.#native !== undefined ? this.#native.bodyUsed : this.#body?.used ?? false;
  }

  /** Synchronous if complete: nested promises would cost more than reading it. */
  #readBytes(): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
    return this.#native !== undefined
      ? this.#native.arrayBuffer().then((buffer) => new Uint8Array(buffer))
      : this.#body?.bytes() ?? new Uint8Array();
  }

  #readText(): string | Promise<string> {
    return this.#native !== undefined ? this.#native.text() : this.#body?.text() ?? "";
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return await this.#readBytes();
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.#readBytes()).buffer;
  }

  async text(): Promise<string> {
    return await this.#readText();
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.#readText());
  }

  async blob(): Promise<Blob> {
    const type = this.headers.get("content-type") ?? "";
    return new Blob([await this.bytes()], { type });
  }

  async formData(): Promise<FormData> {
    const type = this.headers.get("content-type") ?? "";
    return await new Response(await this.bytes(), { headers: { "content-type": type } }).formData();
  }

  clone(): Request {
    return this.copyable.clone();
  }

  /** The native request, unless its body is used: it cannot be read twice. */
  get copyable(): Request {
    if (this.bodyUsed) {
      throw usedUp();
    }
    return this.native;
  }

  /** The native request, which owns the body from now on. */
  get native(): Request {
    return this.#native ??= this.#build();
  }

  #initWith(body: BodyInit | null): RequestInit {
    return {
      method: this.method,
      headers: nativeHeaders(this.headers),
      signal: this.signal,
      body,
      duplex: "half",
    } as RequestInit;
  }

  /** What a copy is made with. With bytes it has a length, with a stream it has none (Deno). */
  get init(): RequestInit {
    if (this.bodyUsed) {
      throw usedUp();
    }
    return this.#initWith(this.#body?.takeNow() ?? this.body);
  }

  /** A body used here is used there. */
  #build(): Request {
    if (!this.bodyUsed) {
      return new NativeRequest(this.url, this.init);
    }
    const native = new NativeRequest(this.url, this.#initWith(new Uint8Array()));
    void native.bytes();
    return native;
  }
}

/**
 * All other members read the native request. So do the runtime's own slots if it
 * keeps them under symbols (Deno): `new Request(request)` and `fetch(request)` find them there.
 */
function inheritLazily(): void {
  const sample = new NativeRequest("http://localhost/");
  const named = Object.getOwnPropertyNames(NativeRequest.prototype);
  for (const key of [...named, ...Object.getOwnPropertySymbols(sample)]) {
    if (!Object.hasOwn(ServerRequest.prototype, key)) {
      Object.defineProperty(ServerRequest.prototype, key, {
        configurable: true,
        get(this: ServerRequest) {
          return Reflect.get(this.native, key);
        },
      });
    }
  }
  Object.setPrototypeOf(ServerRequest.prototype, NativeRequest.prototype);
}

inheritLazily();

/** The input for a copy; one with its own body does not need the request's. */
function nativeFor(request: ServerRequest, init: RequestInit | undefined): Request {
  const hasBody = init?.body !== undefined && init.body !== null;
  return hasBody ? request.native : request.copyable;
}

/**
 * The native `Request`, with one difference: a copy of a handler's request has its method and body
 * in both runtimes (Bun takes it for an options object, and does not read all of it).
 */
class CopyingRequest extends NativeRequest {
  constructor(input: RequestInfo | URL, init?: RequestInit) {
    super(
      input instanceof ServerRequest ? nativeFor(input, init) : input,
      init instanceof ServerRequest ? init.init : init,
    );
  }

  /** Native requests are instances; subclasses only have their own. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return Function.prototype[Symbol.hasInstance].call(
      this === CopyingRequest ? NativeRequest : this,
      value,
    );
  }
}
Object.defineProperty(CopyingRequest, "name", { value: "Request" });
Object.defineProperty(ServerRequest.prototype, "constructor", { value: CopyingRequest });

export { CopyingRequest as Request };

/** Creates the request for a handler. */
export function makeRequest(exchange: Exchange): Request {
  // Its prototype chain ends in the native one, which TypeScript cannot see.
  return new ServerRequest(exchange) as unknown as Request;
}
