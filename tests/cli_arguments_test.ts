// How arguments are interpreted, and how errors in them are reported.
import assert from "node:assert/strict";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { address, parseListen, type Place, placeOf } from "../contrib/cli/address.ts";
import { findApp } from "../contrib/cli/app.ts";
import { parseArguments } from "../contrib/cli/arguments.ts";
import { flagOf, labelOf, OPTIONS } from "../contrib/cli/options.ts";
import { NUMBERS } from "../server/options.ts";
import { APP, said } from "./support/cli_run.ts";

test("every numeric option of the server has a flag", () => {
  const keys = OPTIONS.filter((option) => flagOf(option) !== "").map(({ key }) => key as string);
  assert.deepEqual(Object.keys(NUMBERS).filter((name) => !keys.includes(name)), []);
});

const valueRows: [args: string[], values: Record<string, unknown>][] = [
  [["-a", "::1", "-p", "1"], { host: "::1", port: 1 }],
  [["-p1"], { port: 1 }],
  [["--port=1", "--port", "2"], { port: 2 }],
  [["--reuse-port"], { reusePort: true }],
  [["--no-reuse-port", "--no-patch-globals"], { reusePort: false, patchGlobals: false }],
  [["--backlog", "7", "--mode", "0660"], { listenBacklog: 7, mode: 0o660 }],
  [["--max-head-size", "1000"], { maxHeadSize: 1000 }],
  [["--max-body-size", "Infinity"], { maxBodySize: Infinity }],
  [["--access-log"], { accessLog: "combined" }],
  [["--access-log=json"], { accessLog: "json" }],
  [["--no-access-log"], { accessLog: "off" }],
  [["--statsd", "{}"], { statsd: {} }],
  [["--statsd", '{"port":1,"tags":["a"]}'], { statsd: { port: 1, tags: ["a"] } }],
  [["--access-log", "json"], { accessLog: "json" }],
  [["--access-log", "json", "-p", "1"], { accessLog: "json", port: 1 }],
  [["--workers", "4", "--backend", "poll"], { workers: 4, backend: "poll" }],
  [["--workers", "auto"], { workers: "auto" }],
  [["--trust-proxy", "loopback, 10.0.0.0/8"], { trustProxy: "loopback, 10.0.0.0/8" }],
  [["--trust-proxy=1", "--proxy-protocol=on"], { trustProxy: 1, proxyProtocol: true }],
  [["--trust-proxy", "off", "--proxy-protocol", "::1"], {
    trustProxy: false,
    proxyProtocol: "::1",
  }],
];
for (const [args, values] of valueRows) {
  test(`${args.join(" ")} is understood`, () => {
    assert.deepEqual(parseArguments([...args, "app", "-p", "3"]), {
      app: "app",
      rest: ["-p", "3"],
      late: ["-p"],
      values,
    });
  });
}

const restRows: [args: string[], app: string | undefined, rest: string[]][] = [
  [["app"], "app", []],
  [["-x", "app", "-y"], "app", ["-x", "-y"]],
  [["--x=1", "--", "app"], "app", ["--x=1"]],
  [["--", "-app", "--", "-p"], "-app", ["--", "-p"]],
  [["-xyz", "-n5", "app"], "app", ["-xyz", "-n5"]],
  [["--p", "--test=1", "app"], "app", ["--p", "--test=1"]],
  [["--x", "1", "app"], "1", ["--x", "app"]],
  [["-"], "-", []],
  [["--"], undefined, []],
  [["-x"], undefined, ["-x"]],
];
for (const [args, app, rest] of restRows) {
  test(`${args.join(" ")} gives the app ${app} and its ${rest.join(" ")}`, () => {
    const found = parseArguments(args);
    assert.deepEqual([found.app, found.rest, found.values], [app, rest, {}]);
  });
}

const wrong: [args: string[], message: string][] = [
  [[], "no app given: see bjoern --help"],
  [["--port"], "--port needs a value"],
  ...[["prot", "port"], ["Port", "port"], ["max-body-szie", "max-body-size"], [
    "trust-proxies",
    "trust-proxy",
  ], ["no-keepalive", "no-keep-alive"]].map(([given, meant]): [string[], string] => [
    [`--${given}=10`, APP],
    `there is no option --${given}: did you mean --${meant}? (options for the app go after the app)`,
  ]),
  [["-p", "--uds", "x", APP], "-p needs a value"],
  [["--config"], "--config needs a value"],
  [["--port", "many", APP], '--port takes a whole number, not "many"'],
  [["--port", "65536", APP], "--port must be a whole number from 0 to 65535: 65536"],
  [["-p", "1.5", APP], '-p takes a whole number, not "1.5"'],
  [["--port=", APP], '--port takes a whole number, not ""'],
  [["--uds=", APP], '--uds takes a text, not ""'],
  [["--max-fields", "0", APP], "--max-fields must be a whole number from 1 to 1000: 0"],
  [["--workers", "0", APP], "--workers must be a whole number from 1 to 1024: 0"],
  [["--workers", "all", APP], '--workers takes a whole number or auto, not "all"'],
  [["--mode", "rw", APP], '--mode takes an octal number as text, such as "660", not "rw"'],
  [["--reuse-port=yes", APP], "--reuse-port takes no value"],
  [
    ["--trust-proxy", "on", APP],
    "--trust-proxy cannot be true: any client could forge its address. List or count the proxies",
  ],
  [
    ["--proxy-protocol", "localhost", APP],
    '--proxy-protocol has "localhost", which is neither an address, a network such as ' +
    '"10.0.0.0/8", nor one of loopback, linklocal, uniquelocal',
  ],
  [["--no-access-log=json", APP], "--no-access-log takes no value"],
  [
    ["--access-log=short", APP],
    '--access-log takes true, false, common, combined, json, off, not "short"',
  ],
  [["--backend", "uring", APP], '--backend takes auto, select, poll, epoll, kqueue, not "uring"'],
  [
    ["--statsd", "{", APP],
    '--statsd takes a JSON object of enable, host, port, ns, tags, interval, not "{"',
  ],
  [
    ["--statsd", '{"prot":1}', APP],
    '--statsd takes a JSON object of enable, host, port, ns, tags, interval, not "{\\"prot\\":1}"',
  ],
  [
    ["--statsd", '{"port":-1}', APP],
    "--statsd.port must be a whole number from 1 to 65535: -1",
  ],
  [["-xp", "1", APP], "-xp mixes bjoern's options and others: write them apart"],
  [["--uds", "x", "--port", "1", APP], "--uds and --port exclude each other"],
  [["--uds", "x", "--fd", "3", APP], "--uds and --fd exclude each other"],
  [["-a", "[::1]:80", "--port", "1", APP], "--host and --port exclude each other"],
  [["-a", "fd:x", APP], '-a must be "fd:" and a descriptor\'s number: "fd:x"'],
];
for (const [args, message] of wrong) {
  test(`wrong arguments are reported, with status 2: ${args.join(" ").replace(APP, "app")}`, async () => {
    assert.deepEqual(await said(...args), { status: 2, out: "", err: `bjoern: ${message}\n` });
  });
}

const listenRows: [text: string, place: Place | undefined][] = [
  ["8000", { port: 8000 }],
  ["localhost:8000", { host: "localhost", port: 8000 }],
  ["0.0.0.0:0", { host: "0.0.0.0", port: 0 }],
  ["[::1]:80", { host: "::1", port: 80 }],
  ["unix:/run/x", { host: "unix:/run/x" }],
  ["unix:", undefined],
  ["localhost", undefined],
  [":80", undefined],
  ["::1:80", undefined],
  ["a:65536", undefined],
  ["", undefined],
];
for (const [text, place] of listenRows) {
  test(`listen "${text}" means ${JSON.stringify(place)}`, () => {
    assert.deepEqual(parseListen(text), place);
  });
}

test("listen counts only when host and port are both unset, as in dataflake", () => {
  const listen = { host: "a", port: 1 };
  assert.deepEqual(placeOf({ listen }, labelOf), listen);
  assert.deepEqual(placeOf({ listen, port: 2 }, labelOf), { host: undefined, port: 2 });
  assert.deepEqual(placeOf({ listen, host: "b" }, labelOf), { host: "b", port: undefined });
});

const levels: [name: string, levels: Place[], place: Place][] = [
  ["nothing set", [{}, {}], { host: undefined, port: undefined }],
  ["each by itself", [{ port: 1 }, { host: "a", port: 2 }], { host: "a", port: 1 }],
  ["a socket first", [{ host: "unix:x" }, { port: 2 }], { host: "unix:x", port: undefined }],
  ["a port before a socket", [{ port: 1 }, { host: "unix:x" }, { host: "b" }], {
    host: "b",
    port: 1,
  }],
];
for (const [name, places, place] of levels) {
  test(`levels of addresses: ${name}`, () => assert.deepEqual(address(places), place));
}

const apps: [specifier: string, url: string, name: string][] = [
  ["npm:hono", "npm:hono", "default"],
  ["npm:hono:app", "npm:hono", "app"],
  ["jsr:@a/b@1/c", "jsr:@a/b@1/c", "default"],
  [pathToFileURL(APP).href, pathToFileURL(APP).href, "default"],
  [`${pathToFileURL(APP)}:api`, pathToFileURL(APP).href, "api"],
  ["https://a.example:80/a.ts", "https://a.example:80/a.ts", "default"],
  [`${APP}:api`, pathToFileURL(APP).href, "api"],
];
for (const [specifier, url, name] of apps) {
  test(`the app ${specifier.replace(APP, "app.ts")} means the export ${name}`, () => {
    const found = findApp(specifier);
    assert.deepEqual([found.url, found.name], [url, name]);
  });
}
