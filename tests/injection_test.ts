// No text that an app is tricked into using can end a line of a response's head: every way for a
// text to get there, with everything that might be taken for the end of a line.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { setCookie } from "../contrib/cookies.ts";
import { environ } from "../contrib/environ.ts";
import { serveStatic } from "../contrib/static.ts";
import { type Handler, sendFile } from "../mod.ts";
import { type Connection, octets, open, serve } from "./support/client.ts";

const FILE = fileURLToPath(import.meta.url);
const Native = globalThis.Response;

/** U+010A and the like become line ends if characters are cut to their lower byte. */
const ENDS = [
  ...["\r\nx-injected: 1", "\nx-injected: 1", "\rx-injected: 1", "\r\n\r\nbody", "\0", "\r", "\n"],
  ...["\u010d\u010ax-injected: 1", "\u0a0d\u0d0ax-injected: 1", "\u560a\u560d", "\u0100", "\u010a"],
  ...["\u2028", "\u2029", "\x85", "\v", "\f", "\ud83d\ude00", "\ud800"],
];

const headed = (headers: HeadersInit) => new Response("x", { headers });
const replaced = (name: string, value: unknown) =>
  Object.defineProperty(new Response("x", { status: 201 }), name, { value });

/** How a text can get into a head. */
const ways: Record<string, (text: string, ...asked: Parameters<Handler>) => unknown> = {
  "a value": (text) => headed({ "x-a": `a${text}b` }),
  "the end of a value": (text) => headed({ "x-a": `a${text}` }),
  "the start of a value": (text) => headed({ "x-a": `${text}a` }),
  "a name": (text) => headed({ [`x${text}a`]: "1" }),
  "a name in a list": (text) => headed([[`x${text}`, "1"]]),
  "set()": (text) => {
    const response = new Response("x");
    response.headers.set("x-a", `a${text}b`);
    return response;
  },
  "append()": (text) => {
    const response = new Response("x");
    response.headers.append("set-cookie", `a${text}b`);
    return response;
  },
  "the native Response": (text) => new Native("x", { headers: { "x-a": `a${text}b` } }),
  "Response.json()": (text) => Response.json({}, { headers: { "x-a": `a${text}b` } }),
  "a Location": (text) => new Response(null, { status: 302, headers: { location: `/${text}b` } }),
  "Response.redirect()": (text) => Response.redirect(`http://a/${text}b`),
  "the type of a Blob": (text) => new Response(new Blob(["x"], { type: `text/plain${text}` })),
  "the type of a File": (text) => new Native(new File(["x"], "f", { type: `a/b${text}c` })),
  "a Content-Length": (text) => headed({ "content-length": `1${text}` }),
  "a Connection": (text) => headed({ connection: `close${text}` }),
  "a Date": (text) => headed({ date: `now${text}` }),
  "a status text": (text) => new Response("x", { statusText: `a${text}b` }),
  "the status text of the native Response": (text) =>
    new Native("x", { status: 201, statusText: `a${text}b` }),
  "the status text of JSON": (text) => Response.json({}, { status: 201, statusText: text }),
  "a status text of its own": (text) => replaced("statusText", `a${text}b`),
  "headers of its own": (text) => replaced("headers", new Map([["x-a", `a${text}b`]])),
  "names of its own": (text) => replaced("headers", new Map([[`x${text}`, "b"]])),
  "a status of its own": (text) => replaced("status", `200 a${text}`),
  "sendFile()'s contentType": (text) => sendFile(FILE, { contentType: `text/plain${text}` }),
  "sendFile()'s headers": (text) => sendFile(FILE, { headers: { "x-a": `a${text}b` } }),
  "a cookie's value": (text) => cookie("n", `a${text}b`),
  "a cookie's name": (text) => cookie(`n${text}`, "a"),
  "a cookie's path": (text) => cookie("n", "a", { path: `/${text}` }),
  "a cookie's domain": (text) => cookie("n", "a", { domain: `a${text}.org` }),
  "a stream": (text) =>
    new Response(new ReadableStream({ start: (controller) => controller.close() }), {
      headers: { "x-a": `a${text}b` },
    }),
  "a status line of the environ face": (text, ...asked) =>
    environ((_environ, startResponse) => {
      startResponse(`200 a${text}b`, [["x-a", `a${text}`]]);
      return "x";
    }, { errors: { write: () => {} } })(...asked),
};

function cookie(...[name, value, options]: [string, string, object?]): Response {
  const response = new Response("x");
  setCookie(response.headers, name, value, options);
  return response;
}

/** The first head that arrives, octet for octet. */
async function headOf(connection: Connection): Promise<string> {
  let head = "";
  const { promise, resolve } = Promise.withResolvers<void>();
  connection.socket.on("data", (data: Uint8Array) => {
    head += Array.from(data, (octet) => String.fromCharCode(octet)).join("");
    if (head.includes("\r\n\r\n")) {
      resolve();
    }
  });
  connection.write(octets({})).closed.then(resolve);
  await promise;
  connection.close();
  return head.slice(0, head.indexOf("\r\n\r\n"));
}

const STATUS = /^HTTP\/1\.1 [2-5]\d\d [^\r\n\0]*$/;
const FIELD = /^(?!x-injected)[!#$%&'*+.^_`|~0-9A-Za-z-]+: [^\r\n\0]*$/;
const OURS = new Set(
  ["content-type", "content-length", "date", "connection", "x-a", "set-cookie", "location"].concat(
    "transfer-encoding",
  ),
);

function checkHead(head: string, what: string): void {
  const [status, ...fields] = head.split("\r\n");
  assert.match(status, STATUS, what);
  for (const field of fields) {
    assert.match(field, FIELD, what);
    const name = field.slice(0, field.indexOf(":"));
    assert(OURS.has(name.toLowerCase()), `${what}: ${name} has been made up`);
  }
}

for (const [name, way] of Object.entries(ways)) {
  test(`${name} cannot end a line`, () => {
    let text = "";
    return serve(
      (...asked: Parameters<Handler>) => way(text, ...asked) as Response,
      async (server) => {
        for (text of ENDS) {
          checkHead(await headOf(await open(server)), JSON.stringify(text));
        }
      },
      { onError: () => {} },
    );
  });
}

test("parts of a request cannot end a line when they are echoed", async () => {
  const echo: Handler = (request, info) =>
    headed({ "x-a": `${request.url} ${info.rawTarget} ${request.headers.get("x-b")}` });
  const apps = [echo, serveStatic(new URL("support", import.meta.url), { index: "wire.ts" })];
  for (const app of apps) {
    await serve(app, async (server) => {
      for (const escaped of ["%0d%0ax-injected:1", "%0A", "%00", "%E5%98%8A%E5%98%8D", "%C4%8A"]) {
        const connection = await open(server);
        const target = `/a${escaped}?b${escaped}`;
        connection.write(octets({ target, headers: { "X-B": escaped } }));
        const answer = await connection.answer();
        assert.equal(answer.get("x-injected"), undefined);
        connection.close();
      }
    });
  }
});
