/**
 * Derives a response's head from its init, so that it need not be read back.
 *
 * @module
 */
import { native } from "../ffi/native.ts";
import { lowered } from "./field_names.ts";
import { addField, beginHead, type Head } from "./head.ts";

const VALUE = /^(?![\t ])[\t\x20-\x7e\x80-\xff]*(?<![\t ])$/;

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null &&
    Object.getPrototypeOf(value) === Object.prototype;
}

/** Adds the fields of a record. False if only the runtime knows the result. */
function addAll(head: Head, fields: Record<string, unknown>): boolean {
  let isMixed = false;
  for (const name of Object.keys(fields)) {
    const value = fields[name];
    const lower = lowered(name);
    if (lower === undefined || typeof value !== "string" || !VALUE.test(value)) {
      return false;
    }
    isMixed ||= lower !== name;
    if (isMixed && head.lines.includes(`\n${lower}: `)) {
      return false; // two spellings of one name: their values are joined
    }
    addField(head, lower, value);
  }
  return true;
}

/**
 * The head of `new Response(body, init)` for the usual `init`: an object with a status
 * and fields. `type` is the body's. `undefined` for any other: read it from the response.
 */
export function headOf(init: unknown, type: string | undefined): Head | undefined {
  if (init !== undefined && init !== null && !isPlain(init)) {
    return undefined;
  }
  const { status = 200, statusText, headers }: ResponseInit = init ?? {};
  const isStatus = Number.isInteger(status) && status >= 200 && status <= 599;
  if (!isStatus || statusText !== undefined || (headers !== undefined && !isPlain(headers))) {
    return undefined;
  }
  const head = beginHead(status, "");
  if (headers !== undefined && !addAll(head, headers)) {
    return undefined;
  }
  if (type !== undefined && head.untyped) {
    addField(head, "content-type", type);
  }
  return head;
}

/**
 * Whether the fields of such an init are set only after creating the native response: with more
 * than a type the runtime may prepare it for its own server.
 */
export function isPrepared({ status = 200, headers = {} }: ResponseInit): boolean {
  return native.preparesResponses && (status !== 200 || Object.keys(headers).length > 1);
}

/** Sets the fields of such an init on a response created without them. */
export function fill(to: Headers, { headers = {} }: ResponseInit): void {
  for (const [name, value] of Object.entries(headers)) {
    to.set(name, value); // an existing one is the type of a text
  }
}
