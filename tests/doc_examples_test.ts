// The examples in the API documentation run, and print what they say.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import manifest from "../deno.json" with { type: "json" };
import { runFile } from "./support/child.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const folders = ["server", "server/workers", "ffi", "contrib", "contrib/environ"];
const files = folders.flatMap((folder) =>
  readdirSync(join(ROOT, folder)).filter((name) => name.endsWith(".ts")).map((name) =>
    `${folder}/${name}`
  )
);

/** Replaces the package's name with the paths of the modules. */
function withPaths(text: string): string {
  return text.replace(/from "(@x\/bjoern[^"]*)"/g, (_, name: keyof typeof manifest.imports) => {
    const url = new URL(`../${manifest.imports[name]}`, import.meta.url);
    return `from "${url}"`;
  });
}

function examplesOf(file: string): [name: string, text: string][] {
  const blocks = readFileSync(join(ROOT, file), "utf8").matchAll(/^ *\* ```ts\n(.*?)^ *\* ```$/gms);
  return Array.from(blocks, ([, block], i) => {
    const text = withPaths(block.replace(/^ *\* ?/gm, ""));
    return [`${file.replaceAll("/", "-")}-${i}.ts`, text];
  });
}

const examples = Object.fromEntries(["mod.ts", ...files].flatMap(examplesOf));
// Inside the repository, for the packages that some modules need.
const place = mkdtempSync(join(ROOT, "zig-out/examples-"));
after(() => rmSync(place, { recursive: true }));

for (const [name, text] of Object.entries(examples)) {
  test(`${name} runs`, async () => {
    const path = join(place, name);
    writeFileSync(path, text);
    const { status, out, err } = await runFile(pathToFileURL(path).href).ended();
    assert.equal(status, 0, err);
    for (const [, said] of text.matchAll(/console\.log\(.*\); \/\/ (.+)$/gm)) {
      assert.ok(
        out.split("\n").some((line) => line !== "" && said.includes(line)),
        `${said}: ${out}`,
      );
    }
  });
}
