/**
 * Configuration files: JSON with comments, keys from the table of options, `${NAME}` in strings.
 *
 * @module
 */
import type { Node, ParseError } from "jsonc-parser";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { Failure } from "./failure.ts";
import { near } from "./near.ts";
import { type Option, OPTIONS, valueOf, type Values } from "./options.ts";

/** Other spellings: dataflake.wsgi.bjoern's. */
const ALIASES: Record<string, string> = { reuse_port: "reusePort" };

/** `bjoern.jsonc:3:5`, as in compiler messages. */
function place(path: string, text: string, offset: number): string {
  const lines = text.slice(0, offset).split("\n");
  return `${path}:${lines.length}:${lines[lines.length - 1].length + 1}`;
}

/** Replaces `${NAME}` and `${NAME:-default}` (if unset or empty); `$${` means `${`. */
function interpolate(text: string, where: string): string {
  return text.replace(/\$\$\{|\$\{([^}]*)\}?/g, (reference, inner?: string) => {
    if (inner === undefined) {
      return "${";
    }
    const [, name, fallback] = /^([A-Za-z_]\w*)(?::-(.*))?$/s.exec(inner) ?? [];
    if (name === undefined || !reference.endsWith("}")) {
      throw new Failure(2, `${where}: ${reference} should be \${NAME} or \${NAME:-default}`);
    }
    const value = process.env[name];
    const isMissing = value === undefined || fallback !== undefined && value === "";
    if (isMissing && fallback === undefined) {
      throw new Failure(2, `${where}: the environment has no ${name}`);
    }
    return isMissing ? fallback! : value!;
  });
}

function interpolateAll(value: unknown, where: string): unknown {
  if (typeof value === "string") {
    return interpolate(value, where);
  }
  if (Array.isArray(value)) {
    return value.map((item) => interpolateAll(item, where));
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value);
    return Object.fromEntries(entries.map(([key, item]) => [key, interpolateAll(item, where)]));
  }
  return value;
}

/** Keys that may be meant by `max_head_size` or `maxHeadSise`. */
function keysNear(key: string): string[] {
  return near(key, OPTIONS.map((option) => option.key), Math.min(3, Math.floor(key.length / 2)));
}

function optionOf(key: string, where: string): Option {
  const option = OPTIONS.find((option) => option.key === (ALIASES[key] ?? key));
  if (option === undefined) {
    const meant = keysNear(key);
    const hint = meant.length > 0
      ? `did you mean ${meant.join(" or ")}?`
      : `the keys are ${OPTIONS.map((option) => option.key).join(", ")}`;
    throw new Failure(2, `${where}: there is no option "${key}"; ${hint}`);
  }
  return option;
}

/** The root of a file, and a function to read a part of it. Throws a Failure if it is no JSONC. */
async function parse(path: string, text: string): Promise<[Node, (node: Node) => unknown]> {
  const jsonc = await import("jsonc-parser"); // only needed with a file
  const errors: ParseError[] = [];
  const root = jsonc.parseTree(text, errors, { allowTrailingComma: true });
  if (errors.length > 0) {
    const code = jsonc.printParseErrorCode(errors[0].error); // such as CloseBraceExpected
    const words = code.replace(/\B[A-Z]/g, " $&").toLowerCase();
    throw new Failure(2, `${place(path, text, errors[0].offset)}: ${words}`);
  }
  if (root?.type !== "object") {
    throw new Failure(2, `${place(path, text, root?.offset ?? 0)}: object expected`);
  }
  return [root, jsonc.getNodeValue];
}

async function readText(path: string): Promise<string> {
  try {
    return (await readFile(path, "utf8")).replace(/^\uFEFF/, "");
  } catch (error) {
    // Permission errors of the runtime have no code, but say what is missing.
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Failure(2, `Cannot read ${path}: ${code ?? message}`);
  }
}

/** Reads a configuration file. Throws a Failure that locates errors. */
export async function readConfig(path: string): Promise<Values> {
  const text = await readText(path);
  const [root, valueAt] = await parse(path, text);
  const values: Record<string, unknown> = {};
  for (const { children = [] } of root.children ?? []) {
    const [key, value] = children;
    const where = place(path, text, key.offset);
    const option = optionOf(key.value, where);
    if (Object.hasOwn(values, option.key)) {
      throw new Failure(2, `${where}: ${option.key} is given twice`);
    }
    const raw = interpolateAll(valueAt(value), where);
    values[option.key] = valueOf(option, raw, `${where}: ${key.value}`);
  }
  return values;
}
