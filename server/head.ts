/**
 * The head of a response: status, and the header fields that are the handler's to set.
 *
 * @module
 */
import { native } from "../ffi/native.ts";
import { WriteFlag } from "./records.ts";
import { TEXT_TYPE } from "./response.ts";
import { reasonPhrase } from "./status.ts";

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

/** Whether the body is what fetch() has decoded: then its coding and length are not as told. */
function isDecoded(response: Response): boolean {
  const coding = response.headers.get("content-encoding");
  return coding !== null && native.decodes.includes(coding.toLowerCase());
}

/** What a reason phrase may have (RFC 9112 section 4). Not every runtime looks. */
const REASON = /^[\t\x20-\x7e\x80-\xff]*$/;

/** The phrase of the status line, when it is the handler's own or the library has none. */
function begin(response: Response): Head {
  const { status, statusText } = response;
  if (!(status >= 200 && status <= 999)) {
    throw new TypeError(`A response of status ${status} cannot be sent`);
  }
  if (!REASON.test(statusText)) {
    throw new TypeError(`A status text of ${JSON.stringify(statusText)} cannot be sent`);
  }
  const reason = statusText || reasonPhrase(status);
  return {
    status,
    flags: WriteFlag.REASON,
    lines: `${reason}\r\n`,
    length: undefined,
    untyped: true,
  };
}

function add(head: Head, name: string, value: string): void {
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
      add(head, lower, values);
    } else {
      values.forEach((value) => add(head, lower, value));
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
