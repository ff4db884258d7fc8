/**
 * Conditional requests (RFC 9110 section 13).
 *
 * npm's `fresh` knows two of the five fields, splits entity tags at their commas and takes "2" for
 * a date.
 *
 * @module
 */
import { parseHttpDate } from "./http_date.ts";

/** Validators of a file's state. */
export interface Validators {
  /** The strong entity tag, with its quotes. */
  etag: string;
  /** Last-Modified in milliseconds since the epoch, in whole seconds like the field. */
  modified: number;
}

const TAGS = /(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g;

/** Whether a list of entity tags has this one. Strong comparison (8.8.3.2) excludes weak ones. */
function lists(field: string, etag: string, comparison: "strong" | "weak"): boolean {
  if (field === "*") {
    return true;
  }
  for (const [, weak, tag] of field.matchAll(TAGS)) {
    if (tag === etag && (weak === undefined || comparison === "weak")) {
      return true;
    }
  }
  return false;
}

/** An invalid date counts as missing. */
function dateOf(headers: Headers, name: string): number {
  return parseHttpDate(headers.get(name) ?? "");
}

/**
 * The status after the preconditions of a GET or HEAD, in the order of section 13.2.2: tags before
 * dates, and conditions on the current state before those on the client's copy.
 */
export function judge(headers: Headers, { etag, modified }: Validators): 200 | 304 | 412 {
  const match = headers.get("if-match");
  const hasFailed = match !== null
    ? !lists(match, etag, "strong")
    : modified > dateOf(headers, "if-unmodified-since");
  if (hasFailed) {
    return 412;
  }
  const noneMatch = headers.get("if-none-match");
  const isKnown = noneMatch !== null
    ? lists(noneMatch, etag, "weak")
    : modified <= dateOf(headers, "if-modified-since");
  return isKnown ? 304 : 200;
}

/**
 * Whether the client's parts are of this state of the file, so that it may get others (section
 * 13.1.5). A date only proves that once its second is over (8.8.2.2).
 */
export function isSame(headers: Headers, { etag, modified }: Validators, now: number): boolean {
  const field = headers.get("if-range");
  return field === null || field === etag ||
    (parseHttpDate(field) === modified && now - modified >= 1000);
}
