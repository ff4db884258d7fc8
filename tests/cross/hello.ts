// Requests to a C server on the library for another platform: `bun tests/cross/hello.ts PLATFORM
// TRIPLE [COMMAND...]`, where COMMAND runs its programs.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";

const [platform, triple, ...command] = process.argv.slice(2);
const library = resolve("zig-out/dist", platform);
const program = resolve("zig-out/cross", platform);

function build(): void {
  mkdirSync("zig-out/cross", { recursive: true });
  const { status, stderr } = spawnSync("zig", [
    ...["cc", "-target", triple, "-O2", "-Wall", "-Werror", "-Icsrc", "tests/cross/hello.c"],
    ...[`-L${library}`, "-lbjoern", `-Wl,-rpath,${library}`, "-o", program],
  ], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
}

async function ask(port: string, machine: string): Promise<void> {
  const answers = Array.from({ length: 100 }, async () => {
    const response = await fetch(`http://127.0.0.1:${port}/`);
    assert.equal(response.status, 200);
    assert.equal(await response.text(), `Hello from ${machine}\n`);
  });
  await Promise.all(answers);
}

build();
const [file, ...args] = [...command, program];
const server = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"] });
try {
  const exit = once(server, "exit").then(([status]) => assert.fail(`It ended with ${status}`));
  const [port] = await Promise.race([once(createInterface(server.stdout), "line"), exit]);
  await Promise.race([ask(port, triple.split("-")[0]), exit]);
  console.log(`ok - the library of ${platform} serves`);
} finally {
  server.kill();
}
