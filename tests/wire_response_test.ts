import { ask } from "./support/wire.ts";
import { streamOf, turns } from "./support/wire_app.ts";
import { type Row, Wire } from "./support/wire_rows.ts";

const HOP = {
  "transfer-encoding": "gzip",
  "connection": "keep-alive, x-hop",
  "keep-alive": "timeout=99",
  "proxy-connection": "keep-alive",
  "upgrade": "h2c",
  "trailer": "x-t",
};

const wire = new Wire({
  "/informational": () => Object.defineProperty(new Response(null), "status", { value: 103 }),
  "/joined": () => new Response("joined", { headers: [["x-list", "one"], ["x-list", "two"]] }),
  "/latin1": () => new Response("latin1", { headers: { "x-latin": "caf\xe9 \xff" } }),
  "/inject": (_request, query) =>
    new Response("inject", { headers: { "x-bad": `a${query.get("v")}x-injected: 1` } }),
  "/date": () => new Response("dated", { headers: { date: "Tue, 15 Nov 1994 08:12:31 GMT" } }),
  "/own": () => new Response("own", { headers: { server: "mine", etag: '"v1"', "x-own": "yes" } }),
  "/hop": () => new Response("hop", { headers: HOP }),
  "/hop-stream": () => new Response(streamOf("hop"), { headers: HOP }),
  "/reject": async () => {
    await turns(2);
    throw new Error("a secret");
  },
  "/undefined": () => undefined as unknown as Response,
  "/number": async () => {
    await turns(1);
    return 42 as unknown as Response;
  },
  "/object": () => ({ status: 200 }) as unknown as Response,
  "/status": (_request, query) => {
    const headers: Record<string, string> = {};
    for (const name of ["content-length", "transfer-encoding"]) {
      if (query.has(name)) {
        headers[name] = query.get(name)!;
      }
    }
    const statusText = query.get("text") ?? "";
    return new Response(query.get("body"), { status: Number(query.get("c")), statusText, headers });
  },
  "/redirect": () => Response.redirect("http://example.test/elsewhere", 302),
  "/cookies": () => {
    const headers = new Headers();
    for (const cookie of ["a=1; Path=/", "b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "c=3"]) {
      headers.append("set-cookie", cookie);
    }
    return new Response("cookies", { headers });
  },
});

// ---- statuses ---------------------------------------------------------------------------------

wire.table([200, 201, 206, 299, 400, 404, 418, 451, 500, 503, 599].map((status) => ({
  name: `the status ${status} is sent`,
  rfc: "9110 15",
  send: ask(`/status?c=${status}&body=text`),
  status,
  body: "text",
  framing: "length",
})));
const BARE = { "content-length": null, "transfer-encoding": null };
wire.table([
  {
    name: "a reason phrase is sent",
    rfc: "4",
    send: ask("/status?c=200&text=Very%20Fine"),
    reason: "Very Fine",
  },
  { name: "a redirect is sent", rfc: "9110 15.4.3", send: ask("/redirect"), status: 302, body: "" },
  ...["", "&content-length=5", "&transfer-encoding=chunked"].flatMap((more): Row[] => [
    {
      name: `204${more} has no body and no framing`,
      rfc: "9110 15.3.5",
      send: ask(`/status?c=204${more}`) + ask(),
      answers: [{ status: 204, fields: BARE }, { body: "hello" }],
    },
    {
      name: `205${more} has no content`,
      rfc: "9110 15.3.6",
      send: ask(`/status?c=205${more}`) + ask(),
      answers: [{ status: 205, body: "", fields: { "content-length": "0" } }, { body: "hello" }],
    },
  ]),
  {
    name: "204 keeps HTTP/1.0 open",
    rfc: "9.3",
    send: ask("/status?c=204", { version: "1.0", fields: ["Connection: keep-alive"] }),
    http10: true,
    status: 204,
  },
  {
    name: "304 has no body",
    rfc: "9110 15.4.5",
    send: ask("/status?c=304") + ask(),
    answers: [{ status: 304, fields: BARE }, { body: "hello" }],
  },
  {
    name: "304 may send the length that 200 would have",
    rfc: "9110 8.6",
    send: ask("/status?c=304&content-length=1234") + ask(),
    answers: [{ status: 304, fields: { "content-length": "1234" } }, { body: "hello" }],
  },
  {
    name: "an informational status is an error",
    rfc: "9110 15.2",
    send: ask("/informational"),
    status: 500,
    end: "answer",
  },
]);

// ---- fields -----------------------------------------------------------------------------------

const COOKIES = "a=1; Path=/\nb=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT\nc=3";
wire.table([
  {
    name: "every Set-Cookie has a line",
    rfc: "6265 3",
    send: ask("/cookies"),
    fields: { "set-cookie": COOKIES },
  },
  {
    name: "values of one name are joined",
    rfc: "9110 5.2",
    send: ask("/joined"),
    fields: { "x-list": "one, two" },
  },
  {
    name: "values are latin-1",
    rfc: "9110 5.5",
    send: ask("/latin1"),
    fields: { "x-latin": "caf\xe9 \xff" },
  },
  {
    name: "the handler's fields are sent",
    rfc: "9110 5",
    send: ask("/own"),
    fields: { server: "mine", etag: '"v1"', "x-own": "yes" },
  },
  { name: "no Server field is sent", rfc: "9110 10.2.4", send: ask(), fields: { server: null } },
  {
    name: "the handler's Date replaces the server's",
    rfc: "9110 6.6.1",
    send: ask("/date"),
    fields: { date: "Tue, 15 Nov 1994 08:12:31 GMT" },
  },
  ...["%0D%0A", "%0A", "%0D", "%00"].map((octets): Row => ({
    name: `${octets} in a value is refused`,
    rfc: "9110 5.5",
    send: ask(`/inject?v=${octets}`),
    status: 500,
    fields: { "x-injected": null, "x-bad": null },
    end: "answer",
  })),
  ...["/hop", "/hop-stream"].flatMap((target) =>
    ["GET", "HEAD"].map((method): Row => ({
      name: `${method} ${target}: the handler's hop-by-hop fields are not sent`,
      rfc: "9110 7.6.1",
      send: ask(target, { method }),
      head: method === "HEAD",
      fields: {
        "transfer-encoding": target === "/hop" ? null : "chunked",
        connection: null,
        "keep-alive": null,
        "proxy-connection": null,
        upgrade: null,
        trailer: null,
      },
    }))
  ),
]);

// ---- handlers that fail -----------------------------------------------------------------------

wire.table(["/throw", "/reject", "/undefined", "/number", "/object"].flatMap((target): Row[] => {
  const failed: Omit<Row, "name"> = {
    rfc: "9110 15.6.1",
    status: 500,
    reason: "Internal Server Error",
    body: "Internal Server Error",
    fields: { connection: "close", "content-type": /^text\/plain; ?charset=utf-8$/i },
    end: "answer",
  };
  return [
    { ...failed, name: `${target} gets a plain 500`, send: ask(target) },
    {
      ...failed,
      name: `${target} with a body gets a plain 500`,
      send: ask(target, { method: "POST", body: "hello" }),
    },
    {
      ...failed,
      name: `${target} on HEAD gets 500 without a body`,
      send: ask(target, { method: "HEAD" }),
      head: true,
      body: "",
    },
    {
      ...failed,
      name: `${target} in HTTP/1.0 gets a plain 500`,
      send: ask(target, { version: "1.0" }),
      http10: true,
      end: "close",
    },
  ];
}));

wire.endsClean();
