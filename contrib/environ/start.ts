/**
 * `startResponse`, and the resulting head.
 *
 * @module
 */
import { type ErrorStream, report } from "./items.ts";

/** Header fields as pairs. */
export type Fields = Iterable<readonly [name: string, value: string]>;

/**
 * Starts a response: status and reason as in `"200 OK"`, and the header fields. A second call must
 * pass the error that made it necessary, and replaces the first if no byte of the body has been
 * sent; otherwise that error is thrown again.
 */
export type StartResponse = (status: string, headers: Fields, excInfo?: unknown) => void;

/** The head of a response. */
export interface Head {
  status: number;
  reason: string;
  headers: Headers;
  /** The Content-Length set by the app. */
  length: number | undefined;
}

function readHeaders(fields: Fields): Headers {
  const headers = new Headers();
  for (const pair of fields) {
    const [name, value] = Array.isArray(pair) && pair.length === 2 ? pair : [];
    if (typeof name !== "string" || typeof value !== "string") {
      throw new TypeError("startResponse: headers must be pairs of strings");
    }
    headers.append(name, value); // refuses CR, LF, NUL and chars beyond latin-1
  }
  return headers;
}

function readLength(headers: Headers): number | undefined {
  const value = headers.get("content-length");
  if (value === null) {
    return undefined;
  }
  if (!/^\d{1,15}$/.test(value)) {
    throw new TypeError(`startResponse: Content-Length is not a number: ${JSON.stringify(value)}`);
  }
  return Number(value);
}

function readHead(status: unknown, fields: Fields): Head {
  const [, code, reason = ""] = /^([2-5]\d\d)(?: (.*))?$/.exec(String(status)) ?? [];
  if (typeof status !== "string" || code === undefined) {
    throw new TypeError(`startResponse: the status must be like "200 OK", not ${String(status)}`);
  }
  if (typeof fields?.[Symbol.iterator] !== "function") {
    throw new TypeError("startResponse: headers must be a list of pairs");
  }
  const headers = readHeaders(fields);
  return { status: Number(code), reason, headers, length: readLength(headers) };
}

/** The state of one response's start. */
export class Start {
  readonly #errors: ErrorStream;
  #head: Head | undefined;
  #isOut = false;

  constructor(errors: ErrorStream) {
    this.#errors = errors;
  }

  /** The function passed to the app. */
  readonly call: StartResponse = (status, headers, excInfo) => {
    const isAgain = excInfo !== undefined && excInfo !== null;
    if (this.#isOut && isAgain) {
      throw excInfo;
    }
    if (this.#head !== undefined && !isAgain) {
      throw new TypeError("startResponse was called before: a second call must pass the error");
    }
    this.#head = readHead(status, headers);
    if (isAgain) {
      report(this.#errors, excInfo);
    }
  };

  /** The head, which can no longer be replaced. */
  take(): Head {
    if (this.#head === undefined) {
      throw new TypeError("The app must call startResponse before the first item of its body");
    }
    this.#isOut = true;
    return this.#head;
  }
}
