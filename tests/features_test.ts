// What the build reports about itself, and that it is true.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { DEFAULT_LISTEN_BACKLOG, features, type Options, run, version } from "../mod.ts";
import { MOD, runText } from "./support/child.ts";
import { ask, octets, open, quiet, serve } from "./support/client.ts";

const read = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), "utf8");
const manifest = (name: string): { version: string } => JSON.parse(read(name));

test("the version is the package's everywhere", () => {
  assert.match(version, /^\d+\.\d+\.\d+/);
  assert.equal(manifest("deno.json").version, version);
  assert.equal(manifest("package.json").version, version);
  assert.match(read("build.zig.zon"), new RegExp(`\\.version = "${version}",`));
  assert.equal(DEFAULT_LISTEN_BACKLOG, 1024);
});

test("features() describes the build", () => {
  const { runtime, backend, backends, libev, abi, sendfile, statsd } = features();
  assert.equal(runtime, process.versions.bun ? "bun" : "deno");
  assert.equal(backend, process.platform === "linux" ? "epoll" : "kqueue");
  assert.deepEqual([...backends].sort(), [backend, "poll", "select"].sort());
  assert.equal(libev, "4.33");
  assert.ok(abi > 0);
  assert.deepEqual([sendfile, statsd], [true, true]);
});

for (const backend of features().backends) {
  test(`a server waits with ${backend}`, async () => {
    await serve(() => "served", async (server) => {
      for (let i = 0; i < 3; i++) {
        assert.equal((await ask(server)).text, "served");
        await quiet(server); // and parked again, most likely
      }
      const connections = await Promise.all(Array.from({ length: 50 }, () => open(server)));
      for (const connection of connections) {
        connection.write(octets({}));
      }
      for (const connection of connections) {
        assert.equal((await connection.answer()).text, "served");
        connection.close();
      }
    }, { backend, spin: 0 });
  });

  test(`LIBEV_FLAGS chooses ${backend}`, async () => {
    const LIBEV_FLAGS = String({ select: 1, poll: 2, epoll: 4, kqueue: 8 }[backend]);
    await using child = runText(
      `import { features, run } from "${MOD}";
       const server = run(() => features().backend, { port: 0 });
       console.log(await (await fetch(server.url)).text());
       server.stop();`,
      { LIBEV_FLAGS },
    );
    assert.equal(await child.line(), backend);
  });
}

test("a missing backend is refused", () => {
  const other = process.platform === "linux" ? "kqueue" : "epoll";
  assert.throws(() => run(() => "", { port: 0, backend: other }), /libev has no such backend/);
  const options = { port: 0, backend: "uring" } as unknown as Options;
  assert.throws(() => run(() => "", options), { name: "TypeError", message: /backend.*uring/ });
});
