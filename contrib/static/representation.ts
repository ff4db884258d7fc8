/**
 * How a file is sent: which bytes, and with which fields.
 *
 * @module
 */
import mime from "mime";
import type { OpenFile } from "../../server/file.ts";
import { isSame, judge, type Validators } from "./conditions.ts";
import { Multipart } from "./multipart.ts";
import type { FileEncoding } from "./options.ts";
import { contentRange, parseRanges, type Range } from "./ranges.ts";

/** The file, or a precompressed variant. */
export interface Representation {
  /** Open; the response closes it. */
  file: OpenFile;
  /** Its coding. */
  coding: FileEncoding | undefined;
  /** The path of the file itself, which determines the type. */
  path: string;
}

function typeOf(path: string): string {
  const type = mime.getType(path) ?? "application/octet-stream";
  return type.startsWith("text/") ? `${type}; charset=utf-8` : type;
}

/** Made from size and time, without reading the file; each coding is its own representation. */
function validatorsOf({ file, coding }: Representation, now: number): Validators {
  const time = Math.round(file.mtime * 1000).toString(16);
  const suffix = coding === undefined ? "" : `-${coding}`;
  // Last-Modified is never in the future (RFC 9110 section 8.8.2.1).
  const modified = Math.floor(Math.min(file.mtime, now) / 1000) * 1000;
  return { etag: `"${file.size.toString(16)}-${time}${suffix}"`, modified };
}

function describe({ coding, path }: Representation, validators: Validators): Headers {
  const headers = new Headers({
    etag: validators.etag,
    "last-modified": new Date(validators.modified).toUTCString(),
    "accept-ranges": "bytes",
    "content-type": typeOf(path),
    "x-content-type-options": "nosniff",
  });
  if (coding !== undefined) {
    headers.set("content-encoding", coding);
  }
  return headers;
}

function sendParts(file: OpenFile, ranges: Range[], headers: Headers): Response {
  const parts = new Multipart(file, ranges, headers.get("content-type")!);
  headers.set("content-type", parts.type);
  headers.set("content-length", String(parts.length));
  return new Response(parts.stream(), { status: 206, headers });
}

function sendRanges({ file, coding }: Representation, ranges: Range[], headers: Headers): Response {
  const [range] = ranges;
  const field = contentRange(range, file.size);
  if (range === undefined) {
    file.close();
    const fields = { "content-range": field };
    return new Response("Range Not Satisfiable", { status: 416, headers: fields });
  }
  if (ranges.length > 1) {
    // Clients would also decode the framing around the encoded parts.
    return coding === undefined ? sendParts(file, ranges, headers) : file.respond({ headers });
  }
  headers.set("content-range", field);
  const { start, end } = range;
  return file.respond({ offset: start, length: end - start, headers, status: 206 });
}

function sendHead(file: OpenFile, headers: Headers): Response {
  file.close();
  headers.set("content-length", String(file.size));
  return new Response(null, { headers });
}

function choose(request: Request, chosen: Representation, fields: [string, string][]): Response {
  const { file } = chosen;
  const asked = request.headers;
  const now = Date.now();
  const validators = validatorsOf(chosen, now);
  const status = judge(asked, validators);
  if (status === 412) {
    file.close();
    return new Response("Precondition Failed", { status });
  }
  if (status === 304) {
    file.close();
    return new Response(null, { status, headers: [...fields, ["etag", validators.etag]] });
  }
  const headers = describe(chosen, validators);
  fields.forEach(([name, value]) => headers.set(name, value));
  if (request.method === "HEAD") {
    return sendHead(file, headers); // ranges are only defined for GET (RFC 9110 section 14.2)
  }
  const range = isSame(asked, validators, now) ? asked.get("range") : null;
  const ranges = range === null ? undefined : parseRanges(range, file.size);
  return ranges === undefined ? file.respond({ headers }) : sendRanges(chosen, ranges, headers);
}

/** Answers a GET or HEAD. `fields` are sent with the file, and with a 304. */
export function respond(
  request: Request,
  chosen: Representation,
  fields: [name: string, value: string][],
): Response {
  try {
    return choose(request, chosen, fields);
  } catch (error) {
    chosen.file.close();
    throw error;
  }
}
