// A request as a handler sees it: its head, its body in every form, its info.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { type Info, run, type UnixAddr } from "../mod.ts";
import { type Ask, ask, octets, open, quiet, serve, until, within } from "./support/client.ts";

/** Serves one request to `look`, which throws if something is wrong. */
async function seen(
  what: Ask,
  look: (request: Request, info: Info) => unknown,
): Promise<void> {
  const app = async (request: Request, info: Info) => {
    await look(request, info);
    return "seen";
  };
  await serve(app, async (server) => {
    assert.equal((await ask(server, what)).text, "seen");
  });
}

const urls: [name: string, host: string, target: string, url: string][] = [
  ["a path", "a.example", "/b", "http://a.example/b"],
  ["a query", "a.example:8080", "/b?c=d&e=%20", "http://a.example:8080/b?c=d&e=%20"],
  ["the default port", "a.example:80", "/", "http://a.example/"],
  ["capitals in the host", "A.Example", "/B", "http://a.example/B"],
  ["an IPv6 host", "[::1]:99", "/", "http://[::1]:99/"],
  ["dot segments", "a", "/b/../c/./d", "http://a/c/d"],
  ["encoded dot segments", "a", "/b/%2e%2E/c", "http://a/c"],
  ["empty segments", "a", "//b//c", "http://a//b//c"],
  ["a bad escape", "a", "/%zz", "http://a/%zz"],
  ["a double quote", "a", '/"', "http://a/%22"],
  ["an absolute target", "other", "http://a.example/b?c", "http://a.example/b?c"],
  ["an empty host", "", "/b", "http://localhost/b"],
  ["a host that is invalid in a URL", "xn--", "/b", "http://invalid/b"],
  ["an absolute target with such a host", "a", "http://xn--a/b?c", "http://invalid/b?c"],
  ["an absolute target with only a query", "a", "http://a?b", "http://a/?b"],
];
for (const [name, host, target, url] of urls) {
  test(`request.url is absolute and normalized with ${name}`, async () => {
    await seen({ headers: { Host: host }, target }, (request, info) => {
      assert.equal(request.url, url);
      assert.equal(new URL(request.url).href, url);
      assert.equal(info.rawTarget, target);
    });
  });
}

for (
  const method of ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND", "get", "M-X!"]
) {
  test(`request.method is ${method}, unchanged`, async () => {
    await seen({ method }, (request) => assert.equal(request.method, method));
  });
}

test("request.headers has every field, repeated ones as a list", async () => {
  const headers = {
    "X-One": "1",
    "x-list": ["a", "b, c", ""],
    Cookie: ["a=1", "b=2; c=3"],
    "X-Latin": "\xe4\xff",
    "X-Empty": "",
    "X-Spaces": "  a  b  ",
  };
  await seen({ headers }, (request) => {
    assert.ok(request.headers instanceof Headers);
    assert.equal(request.headers, request.headers);
    assert.deepEqual(Object.fromEntries(request.headers), {
      connection: "close",
      cookie: "a=1; b=2; c=3",
      host: "localhost",
      "x-empty": "",
      "x-latin": "\xe4\xff",
      "x-list": "a, b, c, ",
      "x-one": "1",
      "x-spaces": "a  b",
    });
    assert.equal(request.headers.get("X-ONE"), "1");
    assert.equal(request.headers.get("x-none"), null);
  });
});

test("a request is a Request with the members of a native one", async () => {
  const native = new Request("http://localhost/");
  await seen({}, (request) => {
    assert.ok(request instanceof Request);
    assert.equal(Object.prototype.toString.call(request), "[object Request]");
    for (const name of Object.getOwnPropertyNames(Request.prototype) as (keyof Request)[]) {
      assert.ok(name in request, name);
      assert.equal(typeof request[name], typeof native[name], name);
    }
    for (const name of ["cache", "credentials", "integrity", "mode", "redirect"] as const) {
      assert.equal(request[name], native[name], name);
    }
    assert.equal(request.url, request.url);
  });
});

const text = '{"text":"é€"}';
const bodies: [name: string, body: Ask["body"], content: string][] = [
  ["a body", text, text],
  ["a chunked body", [text.slice(0, 3), text.slice(3)], text],
  ["an empty chunked body", [], ""],
  ["a body of length 0", "", ""],
  ["a long body", JSON.stringify("x".repeat(300_000)), JSON.stringify("x".repeat(300_000))],
];
const decoder = new TextDecoder();
const readers: Record<string, (request: Request) => Promise<string>> = {
  text: (request) => request.text(),
  bytes: async (request) => decoder.decode(await request.bytes()),
  arrayBuffer: async (request) => decoder.decode(await request.arrayBuffer()),
  blob: async (request) => await (await request.blob()).text(),
  json: async (request) => JSON.stringify(await request.json()),
  "a clone": async (request) => {
    const clone = request.clone();
    const [a, b] = await Promise.all([clone.text(), request.text()]);
    assert.ok(a === b && clone instanceof Request && clone.url === request.url);
    return a;
  },
  "a reader": async (request) => {
    const parts: Uint8Array[] = [];
    const reader = request.body?.getReader();
    for (let read = await reader?.read(); read?.value; read = await reader!.read()) {
      parts.push(read.value);
    }
    return Buffer.concat(parts).toString();
  },
  "a BYOB reader": async (request) => {
    const parts: Uint8Array[] = [];
    const reader = request.body?.getReader({ mode: "byob" });
    const more = () => reader?.read(new Uint8Array(1000));
    for (let read = await more(); read && !read.done; read = await more()) {
      parts.push(read.value);
    }
    return Buffer.concat(parts).toString();
  },
  iteration: async (request) => {
    const parts: Uint8Array[] = [];
    for await (const part of request.body ?? []) {
      parts.push(part);
    }
    return Buffer.concat(parts).toString();
  },
  "a Response": (request) => new Response(request.body).text(),
  "a new Request": (request) => new Request(request).text(),
};
for (const [reader, read] of Object.entries(readers)) {
  for (const [name, body, content] of bodies) {
    if (reader === "json" && content === "") {
      continue;
    }
    test(`${name} is read by ${reader}, at once or octet by octet, before or after a wait`, async () => {
      const app = async (request: Request) => {
        if (request.url.endsWith("/late")) {
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        const found = await read(request);
        assert.equal(found, content);
        // A body of length 0 may count as none, and Bun does not mark the body used by a copy.
        assert.ok(request.bodyUsed || content === "" || reader === "a new Request");
        return found;
      };
      await serve(app, async (server) => {
        for (const target of ["/", "/late"]) {
          const what = octets({ target, body });
          const whole = await open(server);
          assert.equal((await whole.write(what).answer()).text, content);
          whole.close();
          const pieces = await open(server);
          pieces.socket.setNoDelay(true);
          const step = Math.max(1, Math.floor(what.length / 300));
          for (let at = 0; at < what.length; at += step) {
            pieces.write(what.subarray(at, at + step));
            await new Promise((resolve) => setImmediate(resolve));
          }
          assert.equal((await pieces.answer()).text, content);
          pieces.close();
        }
      });
    });
  }
}

test("a blob has the type of the body", async () => {
  await seen({ headers: { "Content-Type": "image/x" }, body: "x" }, async (request) => {
    const blob = await request.blob();
    assert.deepEqual([blob.type, await blob.text()], ["image/x", "x"]);
  });
});

test("json() of malformed JSON rejects with a SyntaxError", async () => {
  await seen({ body: "{" }, (request) => assert.rejects(request.json(), SyntaxError));
});

test("formData() reads forms of both kinds", async () => {
  const form = new FormData();
  form.set("a", "ä");
  form.set("file", new File(["content"], "f.txt"));
  for (const body of [form, new URLSearchParams("a=%C3%A4&file=content")]) {
    const source = new Request("http://a/", { method: "POST", body });
    const headers = { "Content-Type": source.headers.get("content-type")! };
    await seen({ headers, body: await source.bytes() }, async (request) => {
      const read = await request.formData();
      assert.equal(read.get("a"), "ä");
      const file = read.get("file")!;
      assert.equal(typeof file === "string" ? file : await file.text(), "content");
    });
  }
});

test("formData() of anything else rejects with a TypeError", async () => {
  await seen({ body: "x" }, (request) => assert.rejects(request.formData(), TypeError));
});

test("a request without a body has null and reads as nothing", async () => {
  await seen({}, async (request) => {
    assert.equal(request.body, null);
    assert.equal(request.bodyUsed, false);
    assert.equal(await request.text(), "");
    assert.equal(await request.text(), "");
    assert.equal((await request.arrayBuffer()).byteLength, 0);
    assert.equal(request.bodyUsed, false);
  });
});

test("a body can be read once: the second read rejects with a TypeError", async () => {
  const names = ["text", "json", "bytes", "arrayBuffer", "blob", "formData"] as const;
  for (const first of ["text", "blob"] as const) {
    await seen({ body: text }, async (request) => {
      assert.equal(request.bodyUsed, false);
      const reading = request[first]();
      assert.equal(request.bodyUsed, true);
      await assert.rejects(request.text(), TypeError);
      await reading;
      for (const second of names) {
        await assert.rejects(request[second](), TypeError, `${first} and ${second}`);
      }
      assert.equal(request.bodyUsed, true);
    });
  }
});

test("the stream of a body that was read is locked, whenever it was first accessed", async () => {
  for (const isEarly of [true, false]) {
    for (const body of [text, [text, text]]) {
      await seen({ body }, async (request) => {
        const early = isEarly ? request.body : undefined;
        await request.text();
        assert.ok(request.body!.locked);
        assert.ok(early === undefined || early === request.body);
        assert.throws(() => request.body!.getReader(), TypeError);
        await assert.rejects(request.body!.cancel(), TypeError);
      });
    }
  }
});

test("a body that was read counts as used for the native request's members, too", async () => {
  await seen({ body: text }, async (request) => {
    await request.text();
    assert.equal(request.redirect, "follow");
    assert.equal(request.bodyUsed, true);
    await assert.rejects(request.text(), TypeError);
    await assert.rejects(request.bytes(), TypeError);
    assert.throws(() => request.clone(), TypeError);
    assert.throws(() => new Request(request), TypeError);
  });
});

test("a copy with a body of its own leaves the request's body alone", async () => {
  await seen({ body: text }, async (request) => {
    await request.text();
    for (const body of ["", "other", new Uint8Array()]) {
      const copy = new Request(request, { body });
      assert.deepEqual([copy.method, await copy.text()], ["POST", String(body)]);
    }
    assert.throws(() => new Request(request, { body: null }), TypeError);
  });
});

/** Ways to use a body. */
const uses: Record<string, (request: Request) => Promise<unknown>> = {
  "reading it": (request) => request.text(),
  "reading a part of it": async ({ body }) => {
    const reader = body!.getReader();
    await reader.read();
    reader.releaseLock();
  },
  "cancelling it": ({ body }) => body!.cancel(),
  "copying it": (request) => Promise.resolve(new Request("http://a/", request)),
};
for (const [name, use] of Object.entries(uses)) {
  test(`a copy with another URL is refused after ${name}`, async () => {
    await seen({ body: text }, async (request) => {
      await use(request);
      assert.throws(() => new Request("http://b/", request), TypeError);
    });
  });
}

test("request.constructor is Request", async () => {
  await seen({}, (request) => {
    const { constructor } = request;
    assert.equal(constructor, Request);
    assert.equal(
      new (constructor as typeof Request)("http://a/b", { method: "PUT" }).method,
      "PUT",
    );
  });
});

test("a request whose body was read cannot be cloned", async () => {
  await seen({ body: text }, async (request) => {
    await request.text();
    assert.throws(() => request.clone(), TypeError);
    await assert.rejects(request.text(), TypeError);
  });
});

test("a body locked by a reader cannot be read in another way", async () => {
  await seen({ body: text }, async (request) => {
    const reader = request.body!.getReader();
    assert.equal(request.bodyUsed, false);
    await assert.rejects(request.text(), TypeError);
    assert.throws(() => request.clone(), TypeError);
    await reader.read();
    assert.equal(request.bodyUsed, true);
    reader.releaseLock();
    await assert.rejects(request.text(), TypeError);
  });
});

test("a body that is cancelled lets the answer go out and the next request in", async () => {
  const app = async (request: Request) => {
    await request.body?.cancel();
    return "cancelled";
  };
  await serve(app, async (server) => {
    for (const body of ["x", ["x", "y"], "x".repeat(200_000)]) {
      assert.equal((await ask(server, { body })).text, "cancelled");
    }
    const connection = await open(server);
    connection.write(octets({ body: "x".repeat(1000) }, "")).write(octets({}));
    assert.equal((await connection.answer()).text, "cancelled");
    assert.equal((await connection.answer()).text, "cancelled");
    connection.close();
  });
});

test("a body of GET is dropped, and the next request is answered", async () => {
  const app = async (request: Request) => `${request.body} ${await request.text()}`;
  await serve(app, async (server) => {
    const connection = await open(server);
    connection.write(octets({ method: "GET", body: "GET / HTTP/1.1\r\n\r\n" }, ""));
    connection.write(octets({}));
    assert.equal((await connection.answer()).text, "null ");
    assert.equal((await connection.answer()).text, "null ");
    connection.close();
  });
});

test("info has the addresses of client and server", async () => {
  const ports: number[] = [];
  const app = (request: Request, info: Info) => {
    ports.push(info.remoteAddr.port);
    assert.deepEqual(info.remoteAddr, {
      ...info.remoteAddr,
      transport: "tcp",
      hostname: "127.0.0.1",
    });
    const { port } = info.remoteAddr;
    assert.deepEqual(info.requestIP(request), { address: "127.0.0.1", port, family: "IPv4" });
    assert.equal(info.httpVersion, request.url.endsWith("/old") ? "1.0" : "1.1");
    return JSON.stringify(info.localAddr);
  };
  await serve(app, async (server) => {
    const connection = await open(server);
    const { localPort } = connection.socket;
    const local = { transport: "tcp", hostname: "127.0.0.1", port: server.port };
    connection.write(octets({}, ""));
    assert.deepEqual(JSON.parse((await connection.answer()).text), local);
    connection.write("GET /old HTTP/1.0\r\n\r\n");
    assert.deepEqual(JSON.parse((await connection.answer()).text), local);
    assert.deepEqual(ports, [localPort, localPort]);
    connection.close();
  });
});

test("on a Unix socket the addresses are paths", async () => {
  const path = join(tmpdir(), `bjoern-${process.pid}-${Date.now()}.sock`);
  const app = (request: Request, info: Info<UnixAddr>) => {
    assert.deepEqual(info.remoteAddr, { transport: "unix", path: "" });
    assert.deepEqual(info.localAddr, { transport: "unix", path });
    assert.equal(info.requestIP(request), null);
    return request.url;
  };
  const server = run(app, `unix:${path}`);
  assert.deepEqual(server.addr, { transport: "unix", path });
  assert.equal((await ask({ path }, { target: "/x" })).text, "http://localhost/x");
  await quiet(server);
  await server.shutdown();
  await assert.rejects(open({ path }));
});

test("pendingRequests counts the unanswered requests", async () => {
  const release = Promise.withResolvers<void>();
  const counts: number[] = [];
  const app = async (_request: Request, info: Info) => {
    counts.push(info.pendingRequests);
    await release.promise;
    return "";
  };
  await serve(app, async (server) => {
    assert.equal(server.pendingRequests, 0);
    const asked = [ask(server), ask(server), ask(server)];
    await until(() => counts.length === 3, "three requests");
    assert.equal(server.pendingRequests, 3);
    release.resolve();
    await within(Promise.all(asked), "the answers");
    assert.deepEqual(counts, [1, 2, 3]);
    assert.equal(server.pendingRequests, 0);
  });
});
