// `bjoern init`: what it writes works, and nothing is overwritten.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { readConfig } from "../contrib/cli/config.ts";
import { OPTIONS } from "../contrib/cli/options.ts";
import { bindAndListen, type NetAddr } from "../mod.ts";
import { bjoern, bjoernWith, Folder, get, said, urlOf } from "./support/cli_run.ts";

const [manifest, start] = process.versions.bun
  ? ["package.json", "bun install && bun start"]
  : ["deno.json", "deno task start"];

async function scaffold(folder: Folder): Promise<string> {
  const path = join(folder.path, "hello");
  assert.equal((await said("init", path)).status, 0);
  return path;
}

test("init writes an app, a configuration, units and a start task, and lists them", async () => {
  using folder = new Folder();
  const path = join(folder.path, "new", "hello");
  const names = ["app.ts", "bjoern.jsonc", "hello.service", "hello.socket", manifest];
  const { status, out, err } = await said("init", path);
  assert.deepEqual([status, out, err], [
    0,
    names.map((name) => `${join(path, name)}\n`).join("") + `Next: cd ${path} && ${start}\n`,
    "",
  ]);
  assert.deepEqual(readdirSync(path).sort(), names.sort());
  const { scripts, tasks } = JSON.parse(readFileSync(join(path, manifest), "utf8"));
  assert.match((scripts ?? tasks).start, /bjoern.* --config bjoern\.jsonc app\.ts$/);
});

test("what init writes is served", async () => {
  using folder = new Folder();
  const path = await scaffold(folder);
  const args = ["--config", join(path, "bjoern.jsonc"), join(path, "app.ts")];
  await using child = bjoern(args, { PORT: "0" });
  const url = await urlOf(child);
  assert.deepEqual([await get(url), await get(`${url}no`)], ["Hello, World!\n", "Not found\n"]);
});

test("what init writes is served on a socket from systemd", async () => {
  using folder = new Folder();
  const path = await scaffold(folder);
  using listener = bindAndListen("127.0.0.1", 0);
  const args = ["--config", join(path, "bjoern.jsonc"), join(path, "app.ts")];
  await using child = bjoernWith(listener.fd, "$$", args);
  assert.equal(await urlOf(child), `http://127.0.0.1:${(listener.addr as NetAddr).port}/`);
  child.signal("SIGTERM");
});

test("every option is in the configuration, commented out and valid", async () => {
  using folder = new Folder();
  const lines = readFileSync(join(await scaffold(folder), "bjoern.jsonc"), "utf8").split("\n");
  for (const { key } of OPTIONS) {
    const found = lines.filter((line) => line.startsWith(`  // "${key}": `));
    assert.equal(found.length, 1, key);
    const text = `{\n${found[0].replace("  // ", "")}\n}`;
    assert.deepEqual(Object.keys(await readConfig(folder.file("one.jsonc", text))), [key]);
  }
});

test("init overwrites nothing: if a file exists, it writes none", async () => {
  using folder = new Folder();
  const taken = folder.file("app.ts", "mine");
  const { status, err } = await said("init", folder.path);
  assert.deepEqual([status, err], [1, `bjoern: ${taken}: exists already; nothing was written\n`]);
  assert.deepEqual(readdirSync(folder.path), ["app.ts"]);
  assert.equal(readFileSync(taken, "utf8"), "mine");
});

const wrong: [args: string[], status: number, message: RegExp][] = [
  [[], 2, /init takes one directory/],
  [["a", "b"], 2, /init takes one directory/],
  [["--force"], 2, /init takes one directory/],
  [["no unit"], 2, /"no unit" cannot name a systemd unit/],
  [["/dev/null/x"], 1, /Cannot write to \/dev\/null\/x: ENOTDIR/],
];
for (const [args, status, message] of wrong) {
  test(`init ${args.join(" ")} ends with status ${status}`, async () => {
    const { status: ended, out, err } = await said("init", ...args);
    assert.deepEqual([ended, out], [status, ""]);
    assert.match(err, message);
  });
}

const hasAnalyze = existsSync("/usr/bin/systemd-analyze");
test("systemd accepts the units", { skip: !hasAnalyze }, async () => {
  using folder = new Folder();
  const path = await scaffold(folder);
  const units = ["service", "socket"].map((kind) => join(path, `hello.${kind}`));
  const { status, stderr } = spawnSync("systemd-analyze", ["verify", ...units]);
  assert.deepEqual([status, String(stderr)], [0, ""]);
});
