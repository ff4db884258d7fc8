/**
 * The head of a response from what it is made with, so that it need not be read back.
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

/** Adds the fields of a record. False where only the runtime knows what becomes of them. */
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
      return false; // two ways to write one name: their values become one
    }
    addField(head, lower, value);
  }
  return true;
}

/**
 * The head that `new Response(body, init)` has, where `init` is what most are: an object of a status
 * and fields. `type` is the body's own. `undefined` for any other: ask the response.
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
 * Whether such an init gives the native response its fields only once it is made: with more than a
 * type the runtime may prepare it for a server of its own.
 */
export function isPrepared({ status = 200, headers = {} }: ResponseInit): boolean {
  return native.preparesResponses && (status !== 200 || Object.keys(headers).length > 1);
}

/** Gives a response that was made without them the fields of such an init. */
export function fill(to: Headers, { headers = {} }: ResponseInit): void {
  for (const [name, value] of Object.entries(headers)) {
    to.set(name, value); // one that is there is the type of a text
  }
}
