/**
 * The head of a response: status, and the header fields that are the handler's to set.
 *
 * @module
 */
import { WriteFlag } from "./records.ts";

/** A response's head as the library takes it. */
export interface Head {
  status: number;
  /** `WriteFlag`s. */
  flags: number;
  /** Header lines, before them the reason phrase if it is the handler's own. */
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

/** Reads status and headers of a response. Throws a TypeError for one that cannot be sent. */
export function readHead(response: Response): Head {
  const { status, statusText } = response;
  if (status < 200) {
    throw new TypeError(`A response of status ${status} cannot be sent`);
  }
  const head: Head = { status, flags: 0, lines: "", length: undefined };
  if (statusText !== "") {
    head.flags |= WriteFlag.REASON;
    head.lines = `${statusText}\r\n`;
  }
  for (const [name, value] of response.headers) {
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
