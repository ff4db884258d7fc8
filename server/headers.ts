/**
 * The headers of a handler's request: a `Headers` read from the wire on demand.
 *
 * @module
 */
import type { Exchange } from "./exchange.ts";
import { lowered } from "./field_names.ts";

const NativeHeaders = globalThis.Headers;
const { prototype } = NativeHeaders;

/**
 * `instanceof Headers` holds, and all members behave like the native ones. Single fields are looked
 * up in the received bytes; anything else builds the native object, which is used from then on. on.
 */
class RequestHeaders {
  readonly #exchange: Exchange;
  #native: Headers | undefined = undefined;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  get(name: string): string | null {
    if (typeof name !== "string") {
      return Reflect.apply(prototype.get, this.native, arguments);
    }
    if (this.#native !== undefined) {
      return this.#native.get(name);
    }
    const lower = lowered(name);
    return lower === undefined ? this.native.get(name) : this.#exchange.field(lower); // that throws
  }

  has(name: string): boolean {
    return this.#native !== undefined ? this.#native.has(name) : this.get(name) !== null;
  }

  forEach(visit: (value: string, name: string, all: Headers) => void, self?: unknown): void {
    const all = this as unknown as Headers;
    this.native.forEach((value, name) => visit.call(self, value, name, all));
  }

  get native(): Headers {
    return this.#native ??= build(this.#exchange);
  }

  /** The output of Node's inspect(), and so of Bun's console. */
  [Symbol.for("nodejs.util.inspect.custom")](): Headers {
    return this.native;
  }
}
Object.defineProperty(RequestHeaders.prototype, "constructor", { value: NativeHeaders });

/** Repeated fields are one list (RFC 9110 section 5.3), Cookie by "; " (RFC 6265 section 5.4). */
export function joined(name: string, before: string, value: string): string {
  if (name !== "cookie") {
    return `${before}, ${value}`;
  }
  return before === "" || value === "" ? before + value : `${before}; ${value}`;
}

function build(exchange: Exchange): Headers {
  const headers = new NativeHeaders();
  exchange.eachField((name, value) => {
    if (name === "cookie" && headers.has(name)) {
      headers.set(name, joined(name, headers.get(name)!, value));
    } else {
      headers.append(name, value);
    }
  });
  return headers;
}

/** All other members, including the runtime's own, are forwarded to the native object. */
function inherit(): void {
  for (const key of Reflect.ownKeys(prototype)) {
    const { value, get } = Object.getOwnPropertyDescriptor(prototype, key)!;
    if (Object.hasOwn(RequestHeaders.prototype, key)) {
      continue;
    }
    const own = typeof value === "function"
      ? {
        value(this: RequestHeaders, ...args: unknown[]): unknown {
          return value.apply(this.native, args);
        },
      }
      : get !== undefined
      ? {
        get(this: RequestHeaders): unknown {
          return get.call(this.native);
        },
      }
      : { value };
    Object.defineProperty(RequestHeaders.prototype, key, { configurable: true, ...own });
  }
  Object.setPrototypeOf(RequestHeaders.prototype, prototype);
}

inherit();

/** Creates the headers of a request. */
export function makeHeaders(exchange: Exchange): Headers {
  return new RequestHeaders(exchange) as unknown as Headers;
}

/** The native object, for code that bypasses the members. */
export function nativeHeaders(headers: Headers): Headers {
  return headers instanceof RequestHeaders ? (headers as RequestHeaders).native : headers;
}
