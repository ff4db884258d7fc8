// Configuration files: what they may contain, how errors are reported, and what takes precedence.
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { readConfig } from "../contrib/cli/config.ts";
import { APP, bjoern, Folder, get, said, urlOf } from "./support/cli_run.ts";

process.env.CLI_PORT = "8080";
process.env.CLI_EMPTY = "";
delete process.env.CLI_UNSET;

const rows: [text: string, values: Record<string, unknown>][] = [
  ["{}", {}],
  ['\uFEFF{ /* a */ "port": 1, // b\n "host": "h", }', { port: 1, host: "h" }],
  ['{"port": "${CLI_PORT}"}', { port: 8080 }],
  ['{"port": "80${CLI_EMPTY}"}', { port: 80 }],
  ['{"port": "${CLI_UNSET:-81}"}', { port: 81 }],
  ['{"port": "${CLI_EMPTY:-82}"}', { port: 82 }],
  ['{"host": "${CLI_UNSET:-}x$${CLI_PORT}"}', { host: "x${CLI_PORT}" }],
  ['{"maxBodySize": "Infinity", "mode": "0600"}', { maxBodySize: Infinity, mode: 0o600 }],
  ['{"reuse_port": "On"}', { reusePort: true }],
  ['{"reuse_port": 1}', { reusePort: true }],
  ['{"reusePort": "TRUE"}', { reusePort: true }],
  ['{"reuse_port": "0"}', { reusePort: false }],
  ['{"reusePort": false}', { reusePort: false }],
  ['{"accessLog": true}', { accessLog: "combined" }],
  ['{"accessLog": false}', { accessLog: "off" }],
  ['{"accessLog": "json"}', { accessLog: "json" }],
  ['{"accessLog": "${NOWHERE:-true}"}', { accessLog: "combined" }],
  ['{"accessLog": "${NOWHERE:-off}"}', { accessLog: "off" }],
  ['{"trustProxy": ["loopback", "10.0.0.0/8"]}', { trustProxy: ["loopback", "10.0.0.0/8"] }],
  ['{"trustProxy": 1, "proxyProtocol": true}', { trustProxy: 1, proxyProtocol: true }],
  ['{"trustProxy": "${CLI_UNSET:-2}", "proxyProtocol": "off"}', {
    trustProxy: 2,
    proxyProtocol: false,
  }],
  ['{"listen": 8000}', { listen: { port: 8000 } }],
  ['{"listen": "[::1]:${CLI_PORT}"}', { listen: { host: "::1", port: 8080 } }],
  ['{"statsd": {"port": "${CLI_PORT}", "tags": ["p:${CLI_PORT}"]}}', {
    statsd: { port: 8080, tags: ["p:8080"] },
  }],
];
for (const [text, values] of rows) {
  test(`a file that contains ${JSON.stringify(text)}`, async () => {
    using folder = new Folder();
    assert.deepEqual(await readConfig(folder.file("c.jsonc", text)), values);
  });
}

const wrong: [text: string, message: string][] = [
  ['{\n  "port": 1\n  "host": "a"\n}', ":3:3: comma expected"],
  ['{"port": 1', ":1:11: close brace expected"],
  ["", ":1:1: value expected"],
  ["[1]", ":1:1: object expected"],
  ['{\n  "prot": 1 }', ':2:3: there is no option "prot"; did you mean port?'],
  ['{"max_head_size": 1}', ':1:2: there is no option "max_head_size"; did you mean maxHeadSize?'],
  ['{"heedTimeout": 1}', ':1:2: there is no option "heedTimeout"; did you mean headTimeout?'],
  ['{"port": 1, "port": 2}', ":1:13: port is given twice"],
  ['{"reusePort": 1, "reuse_port": 1}', ":1:18: reusePort is given twice"],
  ['{"port": "many"}', ':1:2: port takes a whole number, not "many"'],
  ['{"port": 1.5}', ":1:2: port takes a whole number, not 1.5"],
  ['{"port": null}', ":1:2: port takes a whole number, not null"],
  ['{"port": 70000}', ":1:2: port must be a whole number from 0 to 65535: 70000"],
  ['{"reuse_port": "yes"}', ':1:2: reuse_port takes true, 1, on, false, 0 or off, not "yes"'],
  ['{"mode": 660}', ':1:2: mode takes an octal number as text, such as "660", not 660'],
  [
    '{"trustProxy": {}}',
    ":1:2: trustProxy takes addresses, networks, loopback, linklocal, uniquelocal, a number of " +
    "hops or off, not {}",
  ],
  ['{"trustProxy": [1]}', ":1:2: trustProxy must have addresses as strings, not 1"],
  ['{"listen": "x"}', ':1:2: listen takes PORT, HOST:PORT, [IPV6]:PORT or unix:PATH, not "x"'],
  ['{"host": "${CLI_UNSET}"}', ":1:2: the environment has no CLI_UNSET"],
  ['{"host": "${a-b}"}', ":1:2: ${a-b} should be ${NAME} or ${NAME:-default}"],
  ['{"host": "${CLI_PORT"}', ":1:2: ${CLI_PORT should be ${NAME} or ${NAME:-default}"],
  ['{"host": "unix:/x", "port": 1}', ": host and PATH: port exclude each other"],
];
for (const [text, message] of wrong) {
  test(`a wrong file is reported, with status 2: ${JSON.stringify(text)}`, async () => {
    using folder = new Folder();
    const path = folder.file("c.jsonc", text);
    const { status, err } = await said("--config", path, APP);
    assert.deepEqual([status, err.replaceAll(path, "PATH")], [2, `bjoern: PATH${message}\n`]);
  });
}

test("an unknown key that resembles no other lists them all", async () => {
  using folder = new Folder();
  const { err } = await said("--config", folder.file("c.json", '{"colour": 1}'), APP);
  assert.match(err, /"colour"; the keys are host, port, .*drainTimeout\n$/);
});

test("a missing file is reported, with status 2", async () => {
  assert.deepEqual(await said("--config", "nowhere.jsonc", APP), {
    status: 2,
    out: "",
    err: "bjoern: Cannot read nowhere.jsonc: ENOENT\n",
  });
});

test("the file overrides the environment", async () => {
  using folder = new Folder();
  const path = folder.file("c.json", '{"listen": "127.0.0.1:${MINE}", "maxBodySize": 3}');
  await using child = bjoern(["--config", path, APP], { MINE: "0", HOST: "256.0.0.1", PORT: "1" });
  const url = `${await urlOf(child)}length`;
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d{2,}\//);
  assert.equal((await fetch(url, { method: "POST", body: "1234" })).status, 413);
});

test("flags override the file", async () => {
  using folder = new Folder();
  const path = folder.file("c.json", '{"uds": "/nowhere/sock", "maxBodySize": 3}');
  await using child = bjoern(["--config", path, "-p", "0", "--max-body-size", "4", APP]);
  const answer = await fetch(`${await urlOf(child)}length`, { method: "POST", body: "1234" });
  assert.deepEqual([answer.status, await answer.text()], [200, "4"]);
});

test("dataflake's reuse_port shares a port", async () => {
  using folder = new Folder();
  const config = ["--config", folder.file("c.json", '{"port": "${P}", "reuse_port": "on"}')];
  await using first = bjoern([...config, APP], { P: "0" });
  const url = await urlOf(first);
  await using second = bjoern([...config, APP], { P: new URL(url).port });
  assert.equal(await urlOf(second), url);
  assert.equal(await get(url), "default");
});
