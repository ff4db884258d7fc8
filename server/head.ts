/**
 * The head of a response: status, and the header fields that handlers may set.
 *
 * @module
 */
import { native } from "../ffi/native.ts";
import { WriteFlag } from "./records.ts";
import { reasonPhrase } from "./status.ts";

/** The type of a response made from a string (Fetch, "extract a body"). */
export const TEXT_TYPE = "text/plain;charset=UTF-8";

/** The type set by `Response.json()`. */
export const JSON_TYPE = "application/json";

/** A response's head in the library's format. */
export interface Head {
  status: number;
  /** `WriteFlag`s. */
  flags: number;
  /** With `WriteFlag.REASON` the reason phrase's line, then the header lines. */
  lines: string;
  /** The handler's Content-Length; NaN if it is not a number. */
  length: number | undefined;
  /** Whether the handler's body has no Content-Type. */
  untyped: boolean;
}

/** Fields about the connection or framing, which only the server sets (RFC 9110 section 7.6.1). */
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
 * Whether it is a response whose body fetch() has decoded: then its coding and length are wrong, as
 * are those of a response created with its head.
 */
export function isDecoded(response: unknown): boolean {
  if (!(response instanceof NativeResponse) || response.url === "" || response.body === null) {
    return false;
  }
  const coding = response.headers.get("content-encoding");
  return coding !== null && native.decodes.includes(coding.toLowerCase());
}

/** Valid reason phrases (RFC 9112 section 4), which not all runtimes check. */
const REASON = /^[\t\x20-\x7e\x80-\xff]*$/;

/** A head without fields; `statusText` is the reason phrase unless empty. */
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

/** Adds a field by its lower-case name; those set by the server are interpreted instead. */
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

/** Native headers contain nothing that ends a line; those of a subclass may. */
function checked(headers: Headers): Headers {
  return headers instanceof NativeHeaders ? headers : new NativeHeaders(headers);
}

/** Reads status and headers of a response. Throws a TypeError if it cannot be sent. */
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

/** Whether bytes are readable UTF-8 text. */
function isText(octets: Uint8Array): boolean {
  try {
    strict.decode(octets);
    return !octets.some(isControl);
  } catch {
    return false;
  }
}

/**
 * Bun sets the type of a response made from a string only when sending it itself: our own
 * class sees the string, others' native responses only show bytes.
 */
export function nameType(head: Head, whole: Uint8Array): void {
  if (native.hidesTextType && head.untyped && whole.length > 0 && isText(whole)) {
    head.lines += `content-type: ${TEXT_TYPE}\r\n`;
  }
}
