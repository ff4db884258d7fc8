/**
 * The head of a response: status, and the header fields that are the handler's to set.
 *
 * @module
 */
import { native } from "../ffi/native.ts";
import { WriteFlag } from "./records.ts";
import { reasonPhrase } from "./status.ts";

/** The type of a response that is made of a string (Fetch, "extract a body"). */
export const TEXT_TYPE = "text/plain;charset=UTF-8";

/** The type that `Response.json()` gives. */
export const JSON_TYPE = "application/json";

/** A response's head as the library takes it. */
export interface Head {
  status: number;
  /** `WriteFlag`s. */
  flags: number;
  /** With `WriteFlag.REASON` the reason phrase's line, then the header lines. */
  lines: string;
  /** The handler's Content-Length; NaN when it is not a number. */
  length: number | undefined;
  /** Whether the body is the handler's own and has no Content-Type. */
  untyped: boolean;
}

/** Fields that speak of the connection or the framing, which are the server's (RFC 9110 7.6.1). */
const OURS = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

function hasClose(connection: string): boolean {
  return connection.split(",").some((option) => option.trim().toLowerCase() === "close");
}

const NativeResponse = globalThis.Response;

/**
 * Whether it is a response whose body fetch() has decoded: then its coding and length are not as
 * told, nor are those of a response that is made with its head.
 */
export function isDecoded(response: unknown): boolean {
  if (!(response instanceof NativeResponse) || response.url === "" || response.body === null) {
    return false;
  }
  const coding = response.headers.get("content-encoding");
  return coding !== null && native.decodes.includes(coding.toLowerCase());
}

/** What a reason phrase may have (RFC 9112 section 4). Not every runtime looks. */
const REASON = /^[\t\x20-\x7e\x80-\xff]*$/;

/** A head without fields, of which `statusText` is the reason phrase unless it is empty. */
export function beginHead(status: number, statusText: string): Head {
  return {
    status,
    flags: WriteFlag.REASON,
    lines: `${statusText || reasonPhrase(status)}\r\n`,
    length: undefined,
    untyped: true,
  };
}

function begin({ status, statusText }: Response): Head {
  if (status === 101) {
    throw new TypeError("There are no upgrades here, such as to WebSocket: 101 cannot be sent");
  }
  if (!(status >= 200 && status <= 999)) {
    throw new TypeError(`A response of status ${status} cannot be sent`);
  }
  if (!REASON.test(statusText)) {
    throw new TypeError(`A status text of ${JSON.stringify(statusText)} cannot be sent`);
  }
  return beginHead(status, statusText);
}

/** Adds a field, its name in lower case; those that are ours become what they say. */
export function addField(head: Head, name: string, value: string): void {
  if (!OURS.has(name)) {
    head.lines += `${name}: ${value}\r\n`;
    head.flags |= name === "date" ? WriteFlag.DATE : 0;
    head.untyped &&= name !== "content-type";
  } else if (name === "content-length") {
    const isNumber = /^\d{1,15}$/.test(value) && (head.length ?? Number(value)) === Number(value);
    head.length = isNumber ? Number(value) : NaN;
  } else if (name === "connection" && hasClose(value)) {
    head.flags |= WriteFlag.CLOSE;
  }
}

const NativeHeaders = globalThis.Headers;

/** Native headers hold nothing that ends a line; what a subclass has in their place may. */
function checked(headers: Headers): Headers {
  return headers instanceof NativeHeaders ? headers : new NativeHeaders(headers);
}

/** Reads status and headers of a response. Throws a TypeError for one that cannot be sent. */
export function readHead(response: Response): Head {
  const head = begin(response);
  const isFetched = response.url !== "";
  const decoded = isFetched && isDecoded(response);
  for (const [name, values] of native.fieldsOf(checked(response.headers))) {
    const lower = name.toLowerCase();
    if (decoded && (lower === "content-encoding" || lower === "content-length")) {
      continue;
    }
    if (typeof values === "string") {
      addField(head, lower, values);
    } else {
      values.forEach((value) => addField(head, lower, value));
    }
  }
  head.untyped &&= !isFetched;
  return head;
}

const strict = new TextDecoder("utf-8", { fatal: true });

function isControl(octet: number): boolean {
  return octet < 9 || (octet > 13 && octet < 32) || octet === 127;
}

/** Whether octets are UTF-8 that people read. */
function isText(octets: Uint8Array): boolean {
  try {
    strict.decode(octets);
    return !octets.some(isControl);
  } catch {
    return false;
  }
}

/**
 * Bun gives a response that is made of a string its type only when it sends it itself: our own
 * class sees the string, a native one of somebody else's shows no more than octets.
 */
export function nameType(head: Head, whole: Uint8Array): void {
  if (native.hidesTextType && head.untyped && whole.length > 0 && isText(whole)) {
    head.lines += `content-type: ${TEXT_TYPE}\r\n`;
  }
}
