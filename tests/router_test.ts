// The router: which handler gets a request, and the answer when none does.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type RouteHandler, router, type Routes } from "../contrib/router.ts";
import { ask, serve } from "./support/client.ts";

/** A handler that reports its route and its parameters. */
function named(name: string): RouteHandler {
  return (request, _info, params) => `${name} ${request.method} ${JSON.stringify(params)}`;
}

type Row = [method: string, target: string, status: number, body: string, allow?: string];

function table(routes: Routes, rows: Row[]): void {
  for (const [method, target, status, body, allow] of rows) {
    test(`${method} ${target.slice(0, 40)} gets ${status} ${body.slice(0, 40)}`, () =>
      serve(router(routes), async (server) => {
        const answer = await ask(server, { method, target });
        assert.equal(answer.status, status);
        assert.equal(answer.text, body);
        assert.equal(answer.get("allow"), allow);
      }));
  }
}

describe("paths match segment by segment", () =>
  table({
    "/": named("home"),
    "/hello": named("hello"),
    "/users/:id": named("user"),
    "/users/me": named("me"),
    "/users/:id/posts/:post": named("post"),
    "/files/*": named("files"),
    "/books/:id(\\d+)": named("book"),
    "/books/:title": named("title"),
    "/maybe/:what?": named("maybe"),
    "/grüße": named("greetings"),
    "/caf%c3%a9": named("coffee"),
    "/%c3%bc/:id": named("over"),
  }, [
    ["GET", "/", 200, "home GET {}"],
    ["GET", "/?a=b", 200, "home GET {}"],
    ["GET", "/hello", 200, "hello GET {}"],
    ["GET", "/helloXYZ", 404, "Not Found"],
    ["GET", "/hello/", 404, "Not Found"],
    ["GET", "/hell", 404, "Not Found"],
    ["GET", "/Hello", 404, "Not Found"],
    ["GET", "/users/7", 200, 'user GET {"id":"7"}'],
    ["GET", "/users/7?id=8", 200, 'user GET {"id":"7"}'],
    ["GET", "/users/me", 200, "me GET {}"],
    ["GET", "/users/", 404, "Not Found"],
    ["GET", "/users/7/", 404, "Not Found"],
    ["GET", "/users/7/posts/x", 200, 'post GET {"id":"7","post":"x"}'],
    ["GET", "/users/../hello", 200, "hello GET {}"],
    ["GET", "/files/a/b.txt", 200, 'files GET {"0":"a/b.txt"}'],
    ["GET", "/books/12", 200, 'book GET {"id":"12"}'],
    ["GET", "/books/dune", 200, 'title GET {"title":"dune"}'],
    ["GET", "/maybe", 200, "maybe GET {}"],
    ["GET", "/maybe/so", 200, 'maybe GET {"what":"so"}'],
    ["GET", "/gr%C3%BC%C3%9Fe", 200, "greetings GET {}"],
    ["GET", "/gr%c3%bc%C3%9fe", 200, "greetings GET {}"],
    ["GET", "/caf%C3%a9", 200, "coffee GET {}"],
    ["GET", "/%C3%BC/1", 200, 'over GET {"id":"1"}'],
    ["GET", "/%c3%bc/%c3%bc", 200, 'over GET {"id":"ü"}'],
    ["POST", "/hello", 200, "hello POST {}"],
    ["OPTIONS", "/hello", 200, "hello OPTIONS {}"],
  ]));

describe("with many ways to match, only short paths are tried", () => {
  const long = "x".repeat(3000);
  const digits = "1".repeat(3000);
  table({
    "/log/:year-:month-:day": named("day"),
    "/four/:a.:b.:c.:d": named("four"),
    "/accents/:é-:è-:ê": named("accents"),
    "/file/:name.:ext": named("file"),
    "/tree/*/leaf/*": named("leaf"),
    "/id/:id": named("id"),
    "/all/*": named("all"),
    "/rest/:rest*": named("rest"),
    "/some/:some+": named("some"),
    "/any/:any(.*)": named("any"),
    "/number/:number(\\d+)": named("number"),
    "/two/:a/:b": named("two"),
  }, [
    ["GET", "/log/2026-11-27", 200, 'day GET {"year":"2026","month":"11","day":"27"}'],
    ["GET", `/log/${"-1".repeat(63)}`, 404, "Not Found"],
    ["GET", `/log/${"x".repeat(130)}-1-2`, 404, "Not Found"],
    ["GET", "/four/1.2.3.4", 200, 'four GET {"a":"1","b":"2","c":"3","d":"4"}'],
    ["GET", `/four/${"x".repeat(30)}.1.2.3`, 404, "Not Found"],
    ["GET", `/accents/${"x".repeat(130)}-1-2`, 404, "Not Found"],
    [
      "GET",
      `/file/${"x".repeat(2000)}.y`,
      200,
      `file GET {"name":"${"x".repeat(2000)}","ext":"y"}`,
    ],
    ["GET", `/file/${long}.txt`, 404, "Not Found"],
    ["GET", "/tree/a/leaf/b", 200, 'leaf GET {"0":"a","1":"b"}'],
    ["GET", `/tree/a/leaf/${long}`, 404, "Not Found"],
    ["GET", `/id/${long}`, 200, `id GET {"id":"${long}"}`],
    ["GET", `/all/${long}`, 200, `all GET {"0":"${long}"}`],
    ["GET", `/rest/a/${long}`, 200, `rest GET {"rest":"a/${long}"}`],
    ["GET", `/some/a/${long}`, 200, `some GET {"some":"a/${long}"}`],
    ["GET", `/any/a/${long}`, 200, `any GET {"any":"a/${long}"}`],
    ["GET", `/number/${digits}`, 200, `number GET {"number":"${digits}"}`],
    ["GET", `/two/${long}/b`, 200, `two GET {"a":"${long}","b":"b"}`],
  ]);
});

describe("parameters are decoded once", () =>
  table({ "/:name": named("it") }, [
    ["GET", "/a%20b", 200, 'it GET {"name":"a b"}'],
    ["GET", "/a%2Fb", 200, 'it GET {"name":"a/b"}'],
    ["GET", "/%2541", 200, 'it GET {"name":"%41"}'],
    ["GET", "/%C3%BC", 200, 'it GET {"name":"ü"}'],
    ["GET", "/a+b", 200, 'it GET {"name":"a+b"}'],
    ["GET", "/%zz", 400, "Bad Request"],
    ["GET", "/%ff", 400, "Bad Request"],
  ]));

describe("methods", () =>
  table({
    "/page": { GET: named("page") },
    "/form": { POST: named("form"), PUT: named("form") },
    "/own": {
      HEAD: () => new Response(null, { headers: { "x-own": "1" } }),
      OPTIONS: named("own"),
    },
    "/items/:id": { GET: named("item"), DELETE: named("item") },
    "/items/new": { POST: named("new") },
    "/dav": { PROPFIND: named("dav") },
  }, [
    ["GET", "/page", 200, "page GET {}"],
    ["HEAD", "/page", 200, ""],
    ["POST", "/page", 405, "Method Not Allowed", "GET, HEAD, OPTIONS"],
    ["get", "/page", 405, "Method Not Allowed", "GET, HEAD, OPTIONS"],
    ["OPTIONS", "/page", 204, "", "GET, HEAD, OPTIONS"],
    ["HEAD", "/form", 405, "", "OPTIONS, POST, PUT"],
    ["PUT", "/form", 200, "form PUT {}"],
    ["HEAD", "/own", 200, ""],
    ["OPTIONS", "/own", 200, "own OPTIONS {}"],
    ["GET", "/own", 405, "Method Not Allowed", "HEAD, OPTIONS"],
    ["POST", "/items/new", 200, "new POST {}"],
    ["GET", "/items/new", 200, 'item GET {"id":"new"}'],
    ["PUT", "/items/new", 405, "Method Not Allowed", "DELETE, GET, HEAD, OPTIONS, POST"],
    ["OPTIONS", "/items/new", 204, "", "DELETE, GET, HEAD, OPTIONS, POST"],
    ["PROPFIND", "/dav", 200, "dav PROPFIND {}"],
    ["OPTIONS", "/nothing", 404, "Not Found"],
    ["OPTIONS", "*", 204, "", "DELETE, GET, HEAD, OPTIONS, POST, PROPFIND, PUT"],
  ]));

test("HEAD has the length of GET", () =>
  serve(router({ "/": { GET: () => "hello" } }), async (server) => {
    assert.equal((await ask(server, { method: "HEAD" })).get("content-length"), "5");
  }));

test("handlers may be async, and get the info", () =>
  serve(
    router({ "/": async (_request, info) => await Promise.resolve(info.remoteAddr.hostname) }),
    async (server) => assert.equal((await ask(server)).text, "127.0.0.1"),
  ));

test("notFound answers what no route matches", () =>
  serve(
    router({ "/": () => "home" }, { notFound: (request) => `no ${new URL(request.url).pathname}` }),
    async (server) => assert.equal((await ask(server, { target: "/x" })).text, "no /x"),
  ));

test("invalid routes are refused at once", () => {
  const wrong: Record<string, unknown>[] = [
    { "hello": () => "" },
    { "/": "text" },
    { "/": null },
    { "/": { GET: "text" } },
    { "/": { get: () => "" } },
    { "/:": () => "" },
    { "/": new Response("text") },
    { "/": {} },
  ];
  for (const [i, routes] of wrong.entries()) {
    assert.throws(() => router(routes as Routes), TypeError, String(i));
  }
  const options = [{ notFond: () => "" }, { notFound: new Response() }];
  for (const [i, wrong] of (options as object[]).entries()) {
    assert.throws(() => router({}, wrong), TypeError, String(i));
  }
});

test("the types include the parameters of a path", () => {
  router({
    "/users/:id/posts/:post": (_request, _info, { id, post }) => id + post,
    // @ts-expect-error: there is no such parameter
    "/a/:b": (_request, _info, { c }) => String(c),
    "/c/:d?": (_request, _info, { d }) => d?.toUpperCase() ?? "",
  });
});
