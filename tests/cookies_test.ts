// Cookies of requests and responses.
import assert from "node:assert/strict";
import { test } from "node:test";
import { cookies, deleteCookie, setCookie } from "../contrib/cookies.ts";
import { ask, serve } from "./support/client.ts";

test("cookies of a request are read, however many lines they take", () =>
  serve((request: Request) => Response.json(cookies(request)), async (server) => {
    const rows: [string | string[], Record<string, string>][] = [
      ["a=1; b=2", { a: "1", b: "2" }],
      [["a=1", "b=2"], { a: "1", b: "2" }],
      ["a=first; a=second", { a: "first" }],
      ['a=%20%C3%BC; b=%zz; c="quoted"', { a: " ü", b: "%zz", c: '"quoted"' }],
      ["__proto__=x; a", {}],
    ];
    for (const [cookie, expected] of rows) {
      const got = JSON.parse((await ask(server, { headers: { cookie } })).text);
      for (const [name, value] of Object.entries(expected)) {
        assert.equal(got[name], value, String(cookie));
      }
    }
    assert.deepEqual(JSON.parse((await ask(server)).text), {});
  }));

test("cookies of a response have lines of their own", () =>
  serve(() => {
    const response = new Response("x");
    setCookie(response.headers, "plain", "a b;c");
    setCookie(response.headers, "full", "v", {
      path: "/app",
      domain: "example.org",
      maxAge: 60,
      expires: new Date(0),
      httpOnly: true,
      secure: true,
      sameSite: "strict",
      partitioned: true,
    });
    setCookie(response.headers, "nowhere", "v", { path: "" });
    deleteCookie(response.headers, "old", { path: "/app", domain: "example.org" });
    return response;
  }, async (server) => {
    const [plain, full, nowhere, old, ...rest] = (await ask(server)).all("set-cookie");
    assert.equal(plain, "plain=a%20b%3Bc; Path=/");
    const attributes = full.split("; ");
    assert.equal(attributes[0], "full=v");
    assert.deepEqual(attributes.slice(1).sort(), [
      "Domain=example.org",
      "Expires=Thu, 01 Jan 1970 00:00:00 GMT",
      "HttpOnly",
      "Max-Age=60",
      "Partitioned",
      "Path=/app",
      "SameSite=Strict",
      "Secure",
    ]);
    assert.equal(nowhere, "nowhere=v");
    assert.match(old, /^old=; /);
    assert.match(old, /Max-Age=0/);
    assert.match(old, /Path=\/app/);
    assert.deepEqual(rest, []);
  }));

test("a value that a client would read as more than one cookie is refused or encoded", () => {
  const headers = new Headers();
  assert.throws(() => setCookie(headers, "a b", "v"), TypeError);
  assert.throws(() => setCookie(headers, "a=b", "v"), TypeError);
  assert.throws(() => setCookie(headers, "a", "v", { path: "/;x" }), TypeError);
  assert.throws(() => setCookie(headers, "a", "v", { domain: "x; Secure" }), TypeError);
  setCookie(headers, "a", "v\r\nSet-Cookie: b=1");
  assert.deepEqual(headers.getSetCookie(), ["a=v%0D%0ASet-Cookie%3A%20b%3D1; Path=/"]);
});
