/**
 * The head of a response: status, and the header fields that are the handler's to set.
 *
 * @module
 */
import { STATUS_CODES } from "node:http";
import { native } from "../ffi/native.ts";
import { WriteFlag } from "./records.ts";

/** A response's head as the library takes it. */
export interface Head {
  status: number;
  /** `WriteFlag`s. */
  flags: number;
  /** With `WriteFlag.REASON` the reason phrase's line, then the header lines. */
  lines: string;
  /** The handler's Content-Length; NaN when it is not a number. */
  length: number | undefined;
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
  return coding !== null && response.url !== "" && native.decodes.includes(coding.toLowerCase());
}

/** Reads status and headers of a response. Throws a TypeError for one that cannot be sent. */
export function readHead(response: Response): Head {
  const { status } = response;
  if (status < 200) {
    throw new TypeError(`A response of status ${status} cannot be sent`);
  }
  const reason = response.statusText || (STATUS_CODES[status] ?? "");
  const head: Head = {
    status,
    flags: WriteFlag.REASON,
    lines: `${reason}\r\n`,
    length: undefined,
  };
  const decoded = isDecoded(response);
  for (const [name, value] of response.headers) {
    if (decoded && (name === "content-encoding" || name === "content-length")) {
      continue;
    }
    if (!OURS.has(name)) {
      head.lines += `${name}: ${value}\r\n`;
      head.flags |= name === "date" ? WriteFlag.DATE : 0;
    } else if (name === "content-length") {
      head.length = /^\d{1,15}$/.test(value) ? Number(value) : NaN;
    } else if (name === "connection" && hasClose(value)) {
      head.flags |= WriteFlag.CLOSE;
    }
  }
  return head;
}
