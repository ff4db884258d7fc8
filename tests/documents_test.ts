// The documents are correct as far as a program can tell: links, paths, options, defaults.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parseArguments } from "../contrib/cli/arguments.ts";
import { defaultOf, OPTIONS } from "../contrib/cli/options.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
/** Files that a fresh checkout lacks. */
const made = read(".gitignore").trim().split("\n");
const markdown = (folder: string) =>
  readdirSync(join(ROOT, folder)).filter((name) => name.endsWith(".md")).map((name) =>
    join(folder, name)
  );

/** The anchors that a forge generates for headings. */
function anchors(path: string): string[] {
  const headings = read(path).matchAll(/^#+ (.*)$/gm);
  return Array.from(
    headings,
    ([, text]) => text.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-"),
  );
}

for (const document of [...markdown("."), ...markdown("docs")]) {
  const text = read(document);

  test(`${document} has no broken links`, () => {
    const links = text.matchAll(/\]\(([^)]+)\)|^\[[^\]]+\]: (\S+)$/gm);
    for (const [, inline, reference] of links) {
      const target = inline ?? reference;
      if (/^https?:|^\.\.\/\.\.\//.test(target)) {
        continue; // pages of the forge, outside of the repository
      }
      const [path, anchor] = target.split("#");
      const file = path === "" ? document : join(dirname(document), path);
      assert.ok(existsSync(join(ROOT, file)), target);
      assert.ok(anchor === undefined || anchors(file).includes(anchor), target);
    }
  });

  test(`${document} names only existing files`, () => {
    const places =
      /(?<![\w./@-])(?:csrc|ffi|server|contrib|tests|scripts|bench|examples)\/[\w./]+/g;
    for (const [found] of text.matchAll(places)) {
      const place = found.replace(/[./]+$/, "");
      const isThere = ["", ".ts", ".c"].some((ending) => existsSync(join(ROOT, place + ending)));
      assert.ok(isThere || made.some((folder) => found.startsWith(folder)), found);
    }
  });
}

test("docs/design.md is short, and gives the number of lines of C", () => {
  const design = read("docs/design.md");
  assert.ok(design.trimEnd().split("\n").length <= 200);
  const [, told] = /some ([\d,]+) lines of C, comments and blank lines not counted/.exec(design)!;
  const code = readdirSync(join(ROOT, "csrc")).map((name) => read(`csrc/${name}`)).join("\n")
    .replace(/\/\*.*?\*\//gs, "");
  const lines = code.split("\n").filter((line) => line.trim() !== "").length;
  assert.ok(Math.abs(lines / Number(told.replace(",", "")) - 1) < 0.05, `it is ${lines}`);
});

test("README's command lines have their options before the app", () => {
  const commands = read("README.md").matchAll(/bjoern(?:\/cli)? (--[^#\n]+)/g);
  const lines = Array.from(commands, ([, line]) => line.trim().split(/\s+/));
  assert.ok(lines.length > 0);
  for (const line of lines) {
    const { app = "", rest } = parseArguments(line);
    assert.match(app, /^app\.ts(:\w+)?$/);
    assert.deepEqual(rest, [], line.join(" "));
  }
});

describe("options", () => {
  /** The default in the JSDoc of each option, if there is one. */
  const documented = new Map(
    Array.from(
      read("server/types.ts").split("export interface Address ")[1]
        .matchAll(/^ {2}\/\*\*((?:(?!\*\/).)*)\*\/\n {2}(\w+)\?: /gms),
      ([, comment, name]) => [name, /@default \{(.+)\}/.exec(comment)?.[1]],
    ),
  );
  /** Options that can only be set in code. */
  const inCode = ["signal", "onError", "onListen", "handleSignals"];

  test("their documented defaults are those of the command line and the server", () => {
    for (const [name, fallback] of documented) {
      if (!inCode.includes(name)) {
        const option = OPTIONS.find(({ key }) => key === name);
        assert.ok(option, `${name} is an option of the command line`);
        const known = defaultOf(option);
        assert.equal(fallback, known === undefined ? undefined : JSON.stringify(known), name);
      }
    }
  });

  test("README has all of them, with their defaults", () => {
    const [, table] = /^## Options$(.*?)^## /ms.exec(read("README.md"))!;
    const rows = Array.from(table.matchAll(/^\| (`.*?) *\| (.*?) *\|/gm), ([, names, cell]) => {
      const fallbacks = cell.split(", ").map((text) => /^`(.*)`$/.exec(text)?.[1]);
      return names.split(", ").map((name, i) => [name.slice(1, -1), fallbacks[i]] as const);
    }).flat();
    const listed = new Map(rows);
    assert.deepEqual([...listed.keys()].sort(), [...documented.keys(), "workers"].sort());
    for (const [name, fallback] of documented) {
      assert.equal(listed.get(name), fallback, name);
    }
  });
});
