/**
 * The handler's request: a `Request` that is made of the wire on demand.
 *
 * @module
 */
import type { Exchange } from "./exchange.ts";
import { makeHeaders, nativeHeaders } from "./headers.ts";

const NativeRequest = globalThis.Request;

/**
 * `instanceof Request` holds, and every member behaves as the native one's, but nothing is decoded
 * or built before it is asked for. What only a native request can do (`clone()`, being copied)
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

  /** A body that Fetch has no place for (GET, HEAD) is not shown; the server drops it. */
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

  /** At once what is here: promises of promises would cost more than reading it. */
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

  /** The native request, unless its body is used: that cannot be read twice. */
  get copyable(): Request {
    if (this.bodyUsed) {
      throw new TypeError("Cannot copy a request whose body is used");
    }
    return this.native;
  }

  /** The native request, which has the body from now on. */
  get native(): Request {
    return this.#native ??= this.#build();
  }

  /** What a native request is made of. Of bytes it has a length, of a stream it has none (Deno). */
  get init(): RequestInit {
    return {
      method: this.method,
      headers: nativeHeaders(this.headers),
      signal: this.signal,
      body: this.bodyUsed ? new Uint8Array() : this.#body?.takeNow() ?? this.body,
      duplex: "half",
    } as RequestInit;
  }

  /** What is used here is used there. */
  #build(): Request {
    const isUsed = this.bodyUsed;
    const native = new NativeRequest(this.url, this.init);
    if (isUsed) {
      void native.bytes();
    }
    return native;
  }
}

/**
 * The members that are not above read the native request. So do the runtime's own slots where it
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

/** What a copy is made of; one with a body of its own does not need the request's. */
function nativeFor(request: ServerRequest, init: RequestInit | undefined): Request {
  const hasBody = init?.body !== undefined && init.body !== null;
  return hasBody ? request.native : request.copyable;
}

/**
 * The native `Request`, but for one thing: a copy of a handler's request has its method and body in
 * every runtime (Bun takes it for an options object, of which it does not read all).
 */
class CopyingRequest extends NativeRequest {
  constructor(input: RequestInfo | URL, init?: RequestInit) {
    super(
      input instanceof ServerRequest ? nativeFor(input, init) : input,
      init instanceof ServerRequest ? init.init : init,
    );
  }

  /** Native requests are requests; subclasses of this one have instances of their own. */
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

/** Makes the request that a handler gets. */
export function makeRequest(exchange: Exchange): Request {
  // Its prototype chain ends in the native one: what TypeScript cannot see, `instanceof` does.
  return new ServerRequest(exchange) as unknown as Request;
}
