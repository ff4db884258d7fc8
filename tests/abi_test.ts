import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ABI } from "../ffi/library.ts";
import { moreSymbols, type Prototype, serverSymbols, toolSymbols } from "../ffi/symbols.ts";
import * as records from "../server/records.ts";

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
const header = read("../csrc/bjoern.h").replace(/\/\*[\s\S]*?\*\//g, " ");

/** How each C type is passed; only opaque types are pointers to memory of C. */
const WORDS: Record<string, string> = {
  "void": "void",
  "uint32_t": "u32",
  "int32_t": "i32",
  "bj_server *": "pointer",
  "bj_listener *": "pointer",
  "const bj_listener *": "pointer",
  "const bj_options *": "buffer",
  "bj_event *": "buffer",
  "bj_command *": "buffer",
  "uint32_t *": "buffer",
  "double *": "buffer",
  "char *": "buffer",
  "const char *": "buffer",
};

function wordOf(type: string): string {
  const word = WORDS[type.replace(/\s+/g, " ").trim()];
  assert(word, `the type ${type} is known`);
  return word;
}

function readFunctions(): [name: string, Prototype][] {
  return [...header.matchAll(/^API ([^;(]*?)(\w+)\(([^)]*)\);/gm)].map(([, type, name, list]) => {
    const parameters = list.split(",").map((one) => one.replace(/\w+\s*$/, ""));
    const words = list.trim() === "void" ? [] : parameters.map(wordOf);
    return [name, { parameters: words, result: wordOf(type) } as Prototype];
  });
}

/** The members of a struct with their sizes in 32-bit words. */
function readStruct(name: string): [member: string, words: number][] {
  const body = new RegExp(`struct ${name} \\{([^}]*)\\}`).exec(header)?.[1];
  assert(body, `struct ${name} is there`);
  return body.split(";").filter((line) => line.trim() !== "").map((line) => {
    const member = /^\s*uint32_t (\w+)(?:\[(\d+)\])?$/.exec(line);
    assert(member, `${line.trim()} is made of words`);
    return [member[1], Number(member[2] ?? 1)];
  });
}

/** A struct as a table of offsets in words, and its size. */
function layoutOf(name: string): [offsets: Record<string, number>, size: number] {
  const offsets: Record<string, number> = {};
  let size = 0;
  for (const [member, words] of readStruct(name)) {
    offsets[member] = size;
    size += words;
  }
  return [offsets, size];
}

/** The names without a prefix that each must have, and their values. */
function strip(prefix: string, all: [name: string, value: number][]): Record<string, number> {
  return Object.fromEntries(all.map(([name, value]) => {
    assert(name.startsWith(prefix), `${name} begins with ${prefix}`);
    return [name.slice(prefix.length), value];
  }));
}

function readEnum(name: string): Record<string, number> {
  const body = new RegExp(`enum ${name} \\{([^}]*)\\}`).exec(header)?.[1];
  assert(body, `enum ${name} is there`);
  const values = body.split(",").filter((line) => line.trim() !== "").map((line) => {
    const value = /^\s*(\w+) = (\d+)\s*$/.exec(line);
    assert(value, `${line.trim()} has a value`);
    return [value[1], Number(value[2])] as [string, number];
  });
  return strip("BJ_", values);
}

const defines = new Map(
  [...header.matchAll(/^#define (BJ_\w+)[ \t]+(\d+)u?[ \t]*$/gm)].map(([, name, value]) => [
    name,
    Number(value),
  ]),
);

/** The flags of one kind. Whoever adds another kind must compare it here, too. */
function takeFlags(prefix: string): Record<string, number> {
  const flags = [...defines].filter(([name]) => name.startsWith(prefix));
  return strip(prefix, flags);
}

/** Compares contents and order. */
function same(ours: object, theirs: object): void {
  assert.deepEqual(Object.entries(ours), Object.entries(theirs));
}

test("the symbol tables have the functions of the header, each once", () => {
  const functions = readFunctions();
  const names = [serverSymbols, moreSymbols, toolSymbols].flatMap(Object.keys);
  assert.equal(names.length, functions.length);
  assert.equal(functions.length, header.match(/^API /gm)?.length, "every function is understood");
  assert.deepEqual(
    { ...serverSymbols, ...moreSymbols, ...toolSymbols },
    Object.fromEntries(functions),
  );
});

test("an event record is laid out like bj_event", () => {
  const [offsets, size] = layoutOf("bj_event");
  same(records.Event, offsets);
  assert.equal(records.EVENT_WORDS, size);
});

test("a command record is laid out like bj_command", () => {
  const [offsets, size] = layoutOf("bj_command");
  same(records.Command, offsets);
  assert.equal(records.COMMAND_WORDS, size);
});

test("the options record is laid out like bj_options", () => {
  const [offsets, size] = layoutOf("bj_options");
  same(records.OPTIONS, Object.keys(offsets));
  assert.equal(records.OPTIONS.length, size);
});

test("event types, command types and reasons are those of the header", () => {
  same(records.EventType, readEnum("bj_event_type"));
  same(records.CommandType, readEnum("bj_command_type"));
  same(records.Reason, readEnum("bj_reason"));
});

test("methods are those of the header, by their code", () => {
  const { OTHER, ...named } = readEnum("bj_method");
  assert.equal(records.METHODS[OTHER], "");
  same(records.METHODS.slice(1), Object.keys(named));
  assert.deepEqual(Object.values(named), Object.keys(named).map((_, i) => i + 1));
});

test("counters are those of the header, by their index", () => {
  const { COUNTERS, ...named } = readEnum("bj_counter");
  assert.equal(records.COUNTERS.length + records.DURATIONS.length, COUNTERS);
  same(records.COUNTERS, Object.keys(named).map((name) => name.toLowerCase()));
  assert.deepEqual(Object.values(named), Object.keys(named).map((_, i) => i));
});

test("duration classes and backends are those of the header", () => {
  const [, bounds] = /#define BJ_DURATIONS \{([^}]*)\}/.exec(header) ?? [];
  assert.deepEqual(bounds.split(",").map(Number), [...records.DURATIONS]);
  const backends = Object.entries(readEnum("bj_backend")).map(([name, bit]) =>
    [name.replace("BACKEND_", "").toLowerCase(), bit] as const
  );
  assert.deepEqual(Object.fromEntries(backends), { ...records.Backend });
});

test("flags are those of the header", () => {
  same(records.EventFlag, takeFlags("BJ_EVENT_"));
  same(records.WriteFlag, takeFlags("BJ_WRITE_"));
});

test("other numbers are those of the header", () => {
  const sizes = Object.fromEntries(
    [...read("../server/c_string.ts").matchAll(/^export const (\w+_SIZE) = (\d+);$/gm)]
      .map(([, name, value]) => [name, Number(value)]),
  );
  const numbers = [...defines].filter(([name]) => !/^BJ_(EVENT|WRITE)_/.test(name));
  assert.deepEqual(Object.fromEntries(numbers), {
    BJ_ABI: ABI,
    BJ_ERROR_SIZE: sizes.ERROR_SIZE,
    BJ_ADDRESS_SIZE: sizes.ADDRESS_SIZE,
    BJ_PATH_SIZE: sizes.PATH_SIZE,
    BJ_CONSUME_REST: records.CONSUME_REST,
    BJ_HIGH_WATER: records.HIGH_WATER,
    BJ_STATSD_COUNTERS: records.COUNTERS.indexOf("connections_open"),
  });
  const all = header.match(/^#define BJ_\w+[ \t]+\S/gm);
  assert.equal(all?.length, defines.size + 1, "every number but BJ_DURATIONS is understood");
});
