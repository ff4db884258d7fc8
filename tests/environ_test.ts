// The environ API: keys, startResponse, the life of a body, the input, files.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { closeSync, createReadStream, openSync } from "node:fs";
import { mkdtemp, open as openFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  type Body,
  type Environ,
  environ,
  type EnvironApp,
  type EnvironOptions,
  FileWrapper,
  type Item,
} from "../contrib/environ.ts";
import { type Options, run, type Server } from "../mod.ts";
import { type Ask, ask, logged, octets, open, serve, until, within } from "./support/client.ts";

const TEXT: [string, string][] = [["Content-Type", "text/plain"]];

/** Serves an environ app. */
function serveApp(
  app: EnvironApp,
  body: (server: Server) => Promise<void>,
  { charset, errors, ...options }: Options & EnvironOptions = {},
): Promise<void> {
  return serve(environ(app, { charset, errors }), body, options);
}

/** The environ of a request. */
async function environOf(what: Ask | string, options: EnvironOptions = {}): Promise<Environ> {
  let seen: Environ | undefined;
  const app: EnvironApp = (env, startResponse) => {
    seen = env;
    startResponse("200 OK", TEXT);
    return "";
  };
  await serveApp(app, async (server) => {
    const connection = await open(server);
    connection.write(typeof what === "string" ? what : octets(what));
    assert.equal(
      (await connection.answer(typeof what === "string" ? "GET" : what.method)).status,
      200,
    );
    connection.close();
  }, options);
  return seen!;
}

/** A body of the given items; logs the calls it gets. */
function watched(items: (Item | Error)[], log: string[], isAsync: boolean): Body {
  let at = 0;
  const next = () => {
    const item = items[at++];
    if (item instanceof Error) {
      throw item;
    }
    return item === undefined ? { done: true, value: undefined } : { done: false, value: item };
  };
  const iterator = {
    next: isAsync ? async () => await Promise.resolve(next()) : next,
    return: () => {
      log.push("return");
      return { done: true, value: undefined };
    },
  };
  const key = isAsync ? Symbol.asyncIterator : Symbol.iterator;
  return { [key]: () => iterator, close: () => void log.push("close") } as unknown as Body;
}

describe("keys", () => {
  test("the environ has every key of PEP 3333", async () => {
    const env = await environOf(
      "POST /a%20b?c=%20d HTTP/1.1\r\nHost: example.org\r\nContent-Type: text/x\r\n" +
        "Content-Length: 2\r\nX-Some-Field: v\r\nConnection: close\r\n\r\nhi",
    );
    const { SERVER_PORT, REMOTE_PORT, ...rest } = env;
    assert.match(SERVER_PORT, /^[1-9]\d*$/);
    assert.match(REMOTE_PORT, /^[1-9]\d*$/);
    const texts = Object.entries(rest).filter(([name]) => !/^(wsgi|bjoern)\./.test(name));
    assert.deepEqual(Object.fromEntries(texts), {
      REQUEST_METHOD: "POST",
      SCRIPT_NAME: "",
      PATH_INFO: "/a b",
      QUERY_STRING: "c=%20d",
      REQUEST_URI: "/a%20b?c=%20d",
      SERVER_NAME: "127.0.0.1",
      SERVER_PROTOCOL: "HTTP/1.1",
      REMOTE_ADDR: "127.0.0.1",
      CONTENT_TYPE: "text/x",
      CONTENT_LENGTH: "2",
      HTTP_HOST: "example.org",
      HTTP_X_SOME_FIELD: "v",
      HTTP_CONNECTION: "close",
    });
    assert.deepEqual(env["wsgi.version"], [1, 0]);
    assert.equal(env["wsgi.url_scheme"], "http");
    assert.equal(env["wsgi.input_terminated"], true);
    assert.equal(env["wsgi.multithread"], false);
    assert.equal(env["wsgi.multiprocess"], true);
    assert.equal(env["wsgi.run_once"], false);
    assert.equal(typeof env["wsgi.errors"].write, "function");
    assert.equal(typeof env["wsgi.file_wrapper"], "function");
  });

  const paths: [target: string, path: string, query?: string][] = [
    ["/", "/"],
    ["/?", "/"],
    ["/x?a?b", "/x", "a?b"],
    ["/%2541", "/%41"],
    ["/%2f%2F", "///"],
    ["/a+b;p=1", "/a+b;p=1"],
    ["/../a/./b", "/../a/./b"],
    ["/%00", "/\0"],
    ["/%C3%BC", "/\xc3\xbc"],
    ["http://h/x?y", "/x", "y"],
    ["http://h", "/"],
    ["http://h?y", "/", "y"],
  ];
  for (const [target, path, query = ""] of paths) {
    test(`PATH_INFO of ${target} is decoded once`, async () => {
      const env = await environOf(`GET ${target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
      assert.deepEqual([env.PATH_INFO, env.QUERY_STRING], [path, query]);
      assert.equal(env.REQUEST_URI, target);
    });
  }

  test("the scheme and the client are those that a trusted proxy reports", async () => {
    const headers = { "X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "https" };
    const app: EnvironApp = (env, startResponse) => {
      startResponse("200 OK", TEXT);
      return `${env["wsgi.url_scheme"]} ${env.REMOTE_ADDR}`;
    };
    const told = async (trustProxy: Options["trustProxy"]) => {
      let text = "";
      await serveApp(app, async (server) => {
        text = (await ask(server, { headers })).text;
      }, { trustProxy });
      return text;
    };
    assert.equal(await told("loopback"), "https 1.2.3.4");
    assert.equal(await told(false), "http 127.0.0.1");
  });

  test("PATH_INFO of OPTIONS * is the asterisk", async () => {
    const env = await environOf("OPTIONS * HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert.equal(env.PATH_INFO, "*");
  });

  test("PATH_INFO is UTF-8 if requested", async () => {
    const env = await environOf({ target: "/gr%C3%BC%C3%9Fe" }, { charset: "utf-8" });
    assert.equal(env.PATH_INFO, "/grüße");
  });

  for (const target of ["/%20%20%", "/%zz", "/%2", "/%%20"]) {
    test(`${target} gets 400, even in pieces, and never reaches the app`, async () => {
      await serveApp(() => assert.fail("the app was called"), async (server) => {
        const head = `GET ${target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`;
        for (const pieces of [[head], [...head]]) {
          const connection = await open(server);
          pieces.forEach((piece) => connection.write(piece));
          assert.equal((await connection.answer()).status, 400);
          connection.close();
        }
      });
    });
  }

  test("octets that are not UTF-8 get 400 if requested", async () => {
    const app = () => assert.fail("the app was called");
    await serveApp(app, async (server) => {
      assert.equal((await ask(server, { target: "/%ff" })).status, 400);
    }, { charset: "utf-8" });
  });

  test("repeated fields are joined, Cookie by a semicolon", async () => {
    const env = await environOf({
      headers: { "X-A": ["1", "2"], "Cookie": ["a=1", "b=2"], "X-L": "\xe9" },
    });
    assert.equal(env.HTTP_X_A, "1, 2");
    assert.equal(env.HTTP_COOKIE, "a=1; b=2");
    assert.equal(env.HTTP_X_L, "\xe9");
  });

  test("names with an underscore are dropped", async () => {
    const env = await environOf({
      headers: {
        "X-Auth_User": "a",
        "X_Auth_User": "b",
        "X_Auth-User": "c",
        "Content_Length": "9",
        "Content_Type": "x",
      },
    });
    assert.equal(env.HTTP_X_AUTH_USER, undefined);
    assert.equal(env.CONTENT_LENGTH, undefined);
    assert.equal(env.CONTENT_TYPE, undefined);
    const both = await environOf({ headers: { "Foo_Bar": "bad", "Foo-Bar": "good" } });
    assert.equal(both.HTTP_FOO_BAR, "good");
  });

  test("a chunked body has no CONTENT_LENGTH, and trailers are not fields", async () => {
    const env = await environOf(
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" +
        "2\r\nhi\r\n0\r\nHost: evil\r\nX-T: 1\r\n\r\n",
    );
    assert.equal(env.CONTENT_LENGTH, undefined);
    assert.equal(env.HTTP_TRANSFER_ENCODING, "chunked");
    assert.equal(env.HTTP_HOST, "h");
    assert.equal(env.HTTP_X_T, undefined);
  });

  test("SERVER_PROTOCOL is the client's", async () => {
    assert.equal((await environOf("GET / HTTP/1.0\r\n\r\n")).SERVER_PROTOCOL, "HTTP/1.0");
  });

  test("each server has its own SERVER_PORT", async () => {
    const app: EnvironApp = (env, startResponse) => {
      startResponse("200 OK", TEXT);
      return env.SERVER_PORT;
    };
    await serveApp(app, async (first) => {
      await serveApp(app, async (second) => {
        assert.equal((await ask(first)).text, String(first.port));
        assert.equal((await ask(second)).text, String(second.port));
      });
    });
  });

  test("on a Unix socket no addresses are made up", async () => {
    const folder = await mkdtemp(join(tmpdir(), "environ-"));
    const path = join(folder, "s");
    const app: EnvironApp = (env, startResponse) => {
      startResponse("200 OK", TEXT);
      const { SERVER_NAME, SERVER_PORT, REMOTE_ADDR, REMOTE_PORT } = env;
      return JSON.stringify([SERVER_NAME, SERVER_PORT, REMOTE_ADDR, REMOTE_PORT]);
    };
    try {
      await serveApp(app, async () => {
        assert.equal((await ask({ path })).text, `["localhost","80","",""]`);
      }, { host: `unix:${path}` });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("startResponse", () => {
  test("the app sets status, reason and fields", async () => {
    const app: EnvironApp = (_env, startResponse) => {
      startResponse("299 Quite all right", [["X-A", "1"], ["Set-Cookie", "a"], [
        "Set-Cookie",
        "b",
      ]]);
      return ["x"];
    };
    await serveApp(app, async (server) => {
      const answer = await ask(server);
      assert.deepEqual([answer.status, answer.reason], [299, "Quite all right"]);
      assert.equal(answer.get("x-a"), "1");
      assert.deepEqual(answer.all("set-cookie"), ["a", "b"]);
      assert.equal(answer.get("content-length"), "1");
      assert.equal(answer.get("content-type"), undefined);
    });
  });

  const wrong: Record<string, Parameters<Parameters<EnvironApp>[1]>> = {
    "no status": [undefined as unknown as string, []],
    "a number as status": [200 as unknown as string, []],
    "a short status": ["20", []],
    "a status of letters": ["abc", []],
    "a status of 1xx": ["101 Switching Protocols", []],
    "a status out of range": ["600 Far", []],
    "a line feed in the reason": ["200 OK\r\nX: y", []],
    "no headers": ["200 OK", undefined as unknown as []],
    "a header that is not a pair": ["200 OK", [["a"]] as unknown as []],
    "a header of three": ["200 OK", [["a", "b", "c"]] as unknown as []],
    "a header with a number": ["200 OK", [["a", 1]] as unknown as []],
    "a header that is a string": ["200 OK", ["ab"] as unknown as []],
    "CRLF in a value": ["200 OK", [["a", "b\r\nc: d"]]],
    "CRLF in a name": ["200 OK", [["a\r\nb", "c"]]],
    "an empty name": ["200 OK", [["", "c"]]],
    "a value beyond latin-1": ["200 OK", [["a", "\u20ac"]]],
    "a Content-Length of letters": ["200 OK", [["Content-Length", "five"]]],
  };
  test("an unsendable head gets 500, and the server goes on", async () => {
    const errors: unknown[] = [];
    const app: EnvironApp = (env, startResponse) => {
      startResponse(...(wrong[decodeURI(env.PATH_INFO.slice(1))] ?? ["200 OK", []]));
      return ["x"];
    };
    await serveApp(app, async (server) => {
      for (const name of Object.keys(wrong)) {
        const answer = await ask(server, { target: `/${encodeURI(name)}` });
        assert.equal(answer.status, 500, name);
        assert.equal(answer.text, "Internal Server Error");
        assert.ok(errors.pop() instanceof Error, name);
      }
      assert.equal((await ask(server)).status, 200);
    }, { onError: (error) => void errors.push(error) });
  });

  /** Status, body, whether the body was complete, and errors. */
  async function result(app: EnvironApp): Promise<[number, string, boolean, unknown[], string]> {
    const errors: unknown[] = [];
    let complaints = "";
    let seen: [number, string, boolean] | undefined;
    await serveApp(app, async (server) => {
      const answer = await ask(server);
      seen = [answer.status, answer.text, answer.complete];
    }, {
      onError: (error) => void errors.push(error),
      errors: { write: (text) => complaints += text },
    });
    return [...seen!, errors, complaints];
  }

  test("not called before the first item is an error", async () => {
    for (const body of ["x", ["x"], watched(["x"], [], false), watched([], [], true)]) {
      const [status, , , errors] = await result(() => body);
      assert.equal(status, 500);
      assert.match(String(errors), /must call startResponse/);
    }
  });

  test("may be called until the first item that is not empty", async () => {
    const [status, text] = await result(function* (_env, startResponse) {
      yield "";
      startResponse("201 Created", []);
      yield "made";
    });
    assert.deepEqual([status, text], [201, "made"]);
  });

  test("a second call without the error is refused", async () => {
    const [status, , , errors] = await result((_env, startResponse) => {
      startResponse("200 OK", []);
      startResponse("200 OK", []);
      return "x";
    });
    assert.equal(status, 500);
    assert.match(String(errors), /must pass the error/);
  });

  test("a second call with the error replaces the head, and reports the error", async () => {
    const [status, text, , errors, complaints] = await result((_env, startResponse) => {
      startResponse("200 OK", [["X-A", "1"]]);
      startResponse("503 Later", [], new Error("broken"));
      return ["sorry"];
    });
    assert.deepEqual([status, text, errors], [503, "sorry", []]);
    assert.match(complaints, /Error: broken/);
  });

  test("a call with the error after the first item throws it, and the body is cut", async () => {
    const error = new Error("too late");
    const [status, text, complete, errors] = await result(function* (_env, startResponse) {
      startResponse("200 OK", []);
      yield "first";
      startResponse("500 No", [], error);
      yield "never";
    });
    assert.deepEqual([status, text, complete], [200, "first", false]);
    assert.deepEqual(errors, [error]);
  });

  test("returns nothing: write() is not supported", async () => {
    let returned: unknown = "something";
    await result((_env, startResponse) => {
      returned = startResponse("200 OK", []);
      return "";
    });
    assert.equal(returned, undefined);
  });
});

describe("a body", () => {
  const kinds: Record<string, () => Body | Promise<Body>> = {
    "a string": () => "añb",
    "bytes": () => Buffer.from("añb"),
    "a list": () => ["a", "", Buffer.from("ñ"), "b"],
    "a promise": () => Promise.resolve(["añb"]),
    "a set": () => new Set(["a", "ñ", "b"]),
    "a generator": function* () {
      yield* ["", "a", "ñ", "", "b", ""];
    },
    "an async generator": async function* () {
      yield "a";
      await new Promise((resolve) => setTimeout(resolve));
      yield* ["ñ", "", "b"];
    },
    "a stream": () =>
      new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode("añb"));
          controller.close();
        },
      }) as unknown as AsyncIterable<Uint8Array>,
  };
  for (const [name, make] of Object.entries(kinds)) {
    test(`may be ${name}`, async () => {
      const app: EnvironApp = (_env, startResponse) => {
        startResponse("200 OK", TEXT);
        return make();
      };
      await serveApp(app, async (server) => {
        const answer = await ask(server);
        assert.deepEqual([answer.status, answer.text, answer.complete], [200, "añb", true]);
        const isWhole = /string|bytes|list|promise/.test(name);
        assert.equal(answer.get("content-length"), isWhole ? "4" : undefined);
        assert.equal(answer.get("content-type"), "text/plain");
      });
    });
  }

  test("of an invalid type gets 500", async () => {
    const errors: unknown[] = [];
    const bodies: unknown[] = [
      undefined,
      null,
      7,
      {},
      [7],
      () => {},
      watched([7 as never], [], true),
    ];
    const app: EnvironApp = (env, startResponse) => {
      startResponse("200 OK", TEXT);
      return bodies[Number(env.PATH_INFO.slice(1))] as Body;
    };
    await serveApp(app, async (server) => {
      for (const i of bodies.keys()) {
        assert.equal((await ask(server, { target: `/${i}` })).status, 500, String(bodies[i]));
        assert.ok(errors.pop() instanceof TypeError);
      }
    }, { onError: (error) => void errors.push(error) });
  });

  test("of a HEAD request is not sent, but its length is", async () => {
    const log: string[] = [];
    const app: EnvironApp = (env, startResponse) => {
      const length: [string, string][] = env.PATH_INFO === "/told" ? [["Content-Length", "7"]] : [];
      startResponse("200 OK", length);
      return env.PATH_INFO === "/list" ? ["four", "five"] : watched(["a", "b"], log, false);
    };
    await serveApp(app, async (server) => {
      const connection = await open(server);
      for (const [target, length] of [["/list", "8"], ["/told", "7"], ["/", undefined]] as const) {
        connection.write(octets({ method: "HEAD", target }, ""));
        assert.equal((await connection.answer("HEAD")).get("content-length"), length);
      }
      connection.close();
    });
    assert.deepEqual(log, ["return", "close", "return", "close"]);
  });

  for (const status of ["204 No Content", "304 Not Modified", "205 Reset Content"]) {
    test(`of ${status} is never sent, but closed`, async () => {
      const log: string[] = [];
      const app: EnvironApp = (env, startResponse) => {
        startResponse(status, []);
        return env.PATH_INFO === "/list" ? ["body"] : watched(["body"], log, true);
      };
      await serveApp(app, async (server) => {
        const connection = await open(server);
        for (const target of ["/list", "/items", "/list"]) {
          connection.write(octets({ target }, ""));
          const answer = await connection.answer();
          assert.equal(answer.status, Number(status.slice(0, 3)));
          assert.equal(answer.text, "");
          assert.equal(answer.get("transfer-encoding"), undefined);
          assert.notEqual(answer.get("content-length"), "4"); // the length of a 200 is unknown
        }
        connection.close();
      });
      assert.deepEqual(log, ["return", "close"]);
    });
  }

  test("ends at its Content-Length, and the connection goes on", async () => {
    let pulled = 0;
    const app: EnvironApp = (env, startResponse) => {
      startResponse("200 OK", [["Content-Length", "5"]]);
      if (env.PATH_INFO === "/list") {
        return ["abcd", "efgh"];
      }
      return (function* () {
        for (;;) {
          pulled++;
          yield "abcd";
        }
      })();
    };
    await serveApp(app, async (server) => {
      const connection = await open(server);
      for (const [target, text] of [["/endless", "abcda"], ["/list", "abcde"]]) {
        connection.write(octets({ target }, ""));
        const answer = await connection.answer();
        assert.deepEqual([answer.text, answer.complete], [text, true]);
      }
      connection.close();
    });
    assert.equal(pulled, 2);
  });

  test("shorter than its Content-Length is an error: 500 if known in time, else the body is cut", async () => {
    const errors: unknown[] = [];
    const app: EnvironApp = (env, startResponse) => {
      startResponse("200 OK", [["Content-Length", "9"]]);
      return env.PATH_INFO === "/list" ? ["abcd"] : watched(["ab", "cd"], [], false);
    };
    await serveApp(app, async (server) => {
      assert.equal((await ask(server, { target: "/list" })).status, 500);
      const cut = await ask(server, { target: "/items" });
      assert.deepEqual([cut.status, cut.text, cut.complete], [200, "abcd", false]);
    }, { onError: (error) => void errors.push(error) });
    assert.equal(errors.length, 2);
    errors.forEach((error) => assert.match(String(error), /4 of the 9 bytes/));
  });

  test("is pulled no faster than the client reads", async () => {
    const most = 64 * 1024 * 1024;
    let pulled = 0;
    const log: string[] = [];
    const app: EnvironApp = (_env, startResponse) => {
      startResponse("200 OK", []);
      const block = new Uint8Array(65536);
      const next = () => {
        pulled += block.length;
        return pulled > most ? assert.fail("nobody reads") : { done: false, value: block };
      };
      const iterator = { next, return: () => (log.push("return"), { done: true }) };
      return { [Symbol.iterator]: () => iterator } as unknown as Iterable<Uint8Array>;
    };
    await serveApp(app, async (server) => {
      const connection = await open(server);
      connection.socket.pause();
      connection.write(octets({}));
      await until(() => pulled > 0, "the first item");
      // Ten other clients are answered meanwhile.
      for (let i = 0; i < 10; i++) {
        const other = await open(server);
        await other.write(octets({ method: "HEAD" })).head();
        other.close();
      }
      connection.close();
      await until(() => log.length === 11, "return() called");
    });
    assert.ok(pulled < most, `${pulled} bytes`);
  });
});

describe("return() and close() are called once", () => {
  const failure = new Error("broken");
  type Case = [name: string, items: (Item | Error)[], status: number, complete: boolean];
  const cases: Case[] = [
    ["after success", ["a", "b"], 200, true],
    ["after an empty body", [], 200, true],
    ["when the first item fails", [failure], 500, true],
    ["when a later item fails", ["a", failure], 200, false],
    ["when the first item is not bytes", [7 as never], 500, true],
    ["when a later item is not bytes", ["a", 7 as never], 200, false],
  ];
  for (const [name, items, status, complete] of cases) {
    for (const isAsync of [false, true]) {
      test(`${name}, ${isAsync ? "async" : "sync"}`, async () => {
        const log: string[] = [];
        const app: EnvironApp = (_env, startResponse) => {
          startResponse("200 OK", []);
          return watched(items, log, isAsync);
        };
        await serveApp(app, async (server) => {
          const answer = await ask(server);
          assert.deepEqual([answer.status, answer.complete], [status, complete]);
        }, { onError: () => {} });
        assert.deepEqual(log, ["return", "close"]);
      });
    }
  }

  test("when startResponse was not called", async () => {
    const log: string[] = [];
    await serveApp(() => watched(["a"], log, false), async (server) => {
      assert.equal((await ask(server)).status, 500);
    }, { onError: () => {} });
    assert.deepEqual(log, ["return", "close"]);
  });

  test("when the client leaves in the middle of the body", async () => {
    const log: string[] = [];
    const app: EnvironApp = (_env, startResponse) => {
      startResponse("200 OK", []);
      return watched(Array(10_000).fill(new Uint8Array(65536)), log, true);
    };
    await serveApp(app, async (server) => {
      const connection = await open(server);
      await connection.write(octets({})).head();
      connection.close();
      await until(() => log.length === 2, "closed");
    });
    assert.deepEqual(log, ["return", "close"]);
  });

  test("when the connection is reset before the first item", async () => {
    const log: string[] = [];
    const called = Promise.withResolvers<void>();
    const app: EnvironApp = (_env, startResponse) => {
      startResponse("200 OK", []);
      called.resolve();
      const iterator = {
        next: () => new Promise<never>(() => {}),
        return: () => (log.push("return"), Promise.resolve({ done: true, value: undefined })),
      };
      return {
        [Symbol.asyncIterator]: () => iterator,
        close: () => void log.push("close"),
      } as unknown as Body;
    };
    await serveApp(app, async (server) => {
      const connection = await open(server);
      connection.write(octets({}));
      await called.promise;
      connection.socket.resetAndDestroy();
      await until(() => log.length === 2, "closed");
    });
    assert.deepEqual(log, ["return", "close"]);
  });

  test("when the server stops", async () => {
    const log: string[] = [];
    const server = run(
      environ((_env, startResponse) => {
        startResponse("200 OK", []);
        return watched(Array(10_000).fill(new Uint8Array(65536)), log, false);
      }),
      { port: 0 },
    );
    const connection = await open(server);
    await connection.write(octets({})).head();
    server.stop();
    await until(() => log.length === 2, "closed");
    connection.close();
    assert.deepEqual(log, ["return", "close"]);
  });

  test("and what they throw is reported, not sent", async () => {
    let complaints = "";
    const app: EnvironApp = (_env, startResponse) => {
      startResponse("200 OK", []);
      const list = Object.assign(["fine"], {
        close: () => {
          throw new Error("close failed");
        },
      });
      return list;
    };
    await serveApp(app, async (server) => {
      assert.equal((await ask(server)).text, "fine");
    }, { errors: { write: (text) => complaints += text } });
    assert.match(complaints, /close failed/);
  });

  test("and a generator's finally runs", async () => {
    const log: string[] = [];
    const app: EnvironApp = async function* (env, startResponse) {
      startResponse("200 OK", []);
      try {
        yield "first";
        await new Promise<void>((resolve) => {
          env["bjoern.signal"].addEventListener("abort", () => resolve());
        });
        yield "nobody hears this";
      } finally {
        log.push("finally");
      }
    };
    await serveApp(app, async (server) => {
      const connection = await open(server);
      await connection.write(octets({})).head();
      connection.close();
      await until(() => log.length > 0, "finally");
    });
    assert.deepEqual(log, ["finally"]);
  });
});

describe("wsgi.input", () => {
  const body = ["first line\nsec", "ond line\n", "\n", "rest"];
  type Read = (input: Environ["wsgi.input"]) => Promise<unknown>;
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
  const reads: Record<string, [Read, unknown]> = {
    "reads all": [async (input) => text(await input.read()), body.join("")],
    "reads everything as text": [(input) => input.text(), body.join("")],
    "reads by size": [
      async (input) => [
        text(await input.read(3)),
        text(await input.read(0)),
        text(await input.read(12)),
        text(await input.read(1000)),
        text(await input.read(1)),
      ],
      ["fir", "", "st line\nseco", "nd line\n\nrest", ""],
    ],
    "reads everything with -1, as in Python": [
      async (input) => [text(await input.readline(-1)), text(await input.read(-1))],
      ["first line\n", "second line\n\nrest"],
    ],
    "refuses an invalid size": [
      async (input) => [
        await input.read(NaN).catch((error) => error.name),
        await input.readline("1" as never).catch((error) => error.name),
      ],
      ["RangeError", "RangeError"],
    ],
    "reads lines": [
      async (input) => [
        text(await input.readline()),
        text(await input.readline(4)),
        text(await input.readline()),
        text(await input.readline()),
        text(await input.readline()),
        text(await input.readline()),
      ],
      ["first line\n", "seco", "nd line\n", "\n", "rest", ""],
    ],
    "reads all lines": [
      async (input) => (await input.readlines()).map(text),
      ["first line\n", "second line\n", "\n", "rest"],
    ],
    "is a list of lines": [
      async (input) => {
        const lines: string[] = [];
        for await (const line of input) {
          lines.push(text(line));
        }
        return lines;
      },
      ["first line\n", "second line\n", "\n", "rest"],
    ],
  };
  for (const [name, [read, expected]] of Object.entries(reads)) {
    test(`${name}, whole and in chunks`, async () => {
      const app: EnvironApp = async (env, startResponse) => {
        const seen = await read(env["wsgi.input"]);
        startResponse("200 OK", TEXT);
        return JSON.stringify(seen);
      };
      await serveApp(app, async (server) => {
        for (const sent of [body, body.join("")]) {
          assert.deepEqual(JSON.parse((await ask(server, { body: sent })).text), expected);
        }
      });
    });
  }

  test("is empty without a body, and for a GET with one", async () => {
    const app: EnvironApp = async (env, startResponse) => {
      const { length } = await env["wsgi.input"].read();
      startResponse("200 OK", TEXT);
      return String(length);
    };
    await serveApp(app, async (server) => {
      assert.equal((await ask(server)).text, "0");
      assert.equal((await ask(server, { method: "POST" })).text, "0");
      assert.equal((await ask(server, { method: "GET", body: "hi" })).text, "0");
    });
  });

  test("may be read while the response is sent, after the app has returned", async () => {
    const app: EnvironApp = async function* (env, startResponse) {
      startResponse("200 OK", TEXT);
      for await (const line of env["wsgi.input"]) {
        yield line;
      }
    };
    const lines = Array.from({ length: 2000 }, (_, i) => `line ${i} ${"x".repeat(i % 100)}\n`);
    await serveApp(app, async (server) => {
      assert.equal((await ask(server, { body: lines.join("") })).text, lines.join(""));
      assert.equal((await ask(server, { body: lines })).text, lines.join(""));
    });
  });

  test("throws when the client leaves", async () => {
    const failed = Promise.withResolvers<unknown>();
    const app: EnvironApp = async (env, startResponse) => {
      await env["wsgi.input"].read().catch(failed.resolve);
      startResponse("200 OK", TEXT);
      return "";
    };
    await serveApp(app, async (server) => {
      const connection = await open(server);
      connection.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf");
      await until(() => server.pendingRequests === 1, "the request");
      connection.close();
      assert.equal((await within(failed.promise as Promise<Error>, "error")).name, "AbortError");
    });
  });
});

describe("wsgi.file_wrapper", () => {
  const content = Buffer.from(Array.from({ length: 200_000 }, (_, i) => i % 251));
  let folder: string;
  let path: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "environ-"));
    path = join(folder, "file");
    await writeFile(path, content);
  });
  after(() => rm(folder, { recursive: true }));

  const kinds: [name: string, open: () => unknown][] = [
    ["a stream of Node's", () => createReadStream(path)],
    ["a ReadableStream", () => new Blob([content]).stream()],
    ["a Blob", () => new Blob([content])],
  ];
  const { Bun, Deno } = globalThis as unknown as Record<
    string,
    { file(path: string): unknown; open(path: string): Promise<unknown> }
  >;
  kinds.push(
    Bun ? ["a Bun.file()", () => Bun.file(path)] : ["a Deno.FsFile", () => Deno.open(path)],
  );
  for (const [name, open] of kinds) {
    test(`sends ${name}`, async () => {
      const app: EnvironApp = async (env, startResponse) => {
        startResponse("200 OK", []);
        return env["wsgi.file_wrapper"](await open() as never);
      };
      await serveApp(app, async (server) => {
        const answer = await ask(server);
        assert.ok(answer.complete);
        assert.ok(answer.body.equals(content));
      });
    });
  }

  for (const event of ["open", "readable"]) {
    test(`sends a file's part that a Node stream stands for, also after "${event}"`, async () => {
      const app: EnvironApp = async (env, startResponse) => {
        const stream = createReadStream(path, { start: 10, end: 99_999 });
        await once(stream, event);
        startResponse("200 OK", []);
        return env["wsgi.file_wrapper"](stream);
      };
      await serveApp(app, async (server) => {
        const answer = await ask(server);
        assert.ok(answer.complete);
        assert.ok(answer.body.equals(content.subarray(10, 100_000)));
      });
    });
  }

  test("the constructor refuses what is not a file", () => {
    for (const file of [undefined, null, "path", {}, true]) {
      assert.throws(() => new FileWrapper(file as never), { name: "TypeError", message: /A file/ });
    }
  });

  test("sends a FileHandle from its offset, and closes it", async () => {
    const closed: string[] = [];
    const app: EnvironApp = async (env, startResponse) => {
      const file = await openFile(path);
      await file.read(new Uint8Array(100), 0, 100, null);
      startResponse("200 OK", []);
      file.close = ((close) => () => {
        closed.push("close");
        return close.call(file);
      })(file.close);
      return env["wsgi.file_wrapper"](file);
    };
    await serveApp(app, async (server) => {
      const answer = await ask(server);
      assert.ok(answer.complete);
      assert.ok(answer.body.equals(content.subarray(100)));
      await until(() => closed.length > 0, "the file is closed");
    });
    assert.deepEqual(closed, ["close"]);
  });

  test("leaves the caller's descriptor open", async () => {
    const fd = openSync(path, "r");
    const app: EnvironApp = (env, startResponse) => {
      startResponse("200 OK", [["Content-Length", "1000"]]);
      return env["wsgi.file_wrapper"](fd, 300);
    };
    await serveApp(app, async (server) => {
      const answer = await ask(server);
      assert.ok(answer.body.equals(content.subarray(0, 1000)));
    });
    closeSync(fd); // throws if it is closed
  });

  test("sends an object with read(), and closes it when reading fails", async () => {
    const log: string[] = [];
    const app: EnvironApp = (env, startResponse) => {
      startResponse("200 OK", []);
      let left = 3;
      return env["wsgi.file_wrapper"]({
        read: (size) => {
          log.push(`read ${size}`);
          if (env.PATH_INFO === "/fail") {
            throw new Error("no disk");
          }
          return left-- > 0 ? "abc" : "";
        },
        close: () => void log.push("close"),
      }, 7);
    };
    const lines = await logged(() =>
      serveApp(app, async (server) => {
        assert.equal((await ask(server)).text, "abcabcabc");
        assert.equal((await ask(server, { target: "/fail" })).status, 500);
      }, { onError: undefined })
    );
    assert.match(String(lines), /no disk/);
    const four = Array(4).fill("read 7");
    assert.deepEqual(log, [...four, "close", "read 7", "close"]);
  });

  test("gets 500 when called without a file", async () => {
    const app: EnvironApp = (env, startResponse) => {
      startResponse("200 OK", []);
      return env["wsgi.file_wrapper"]({} as never);
    };
    const errors: unknown[] = [];
    await serveApp(app, async (server) => {
      assert.equal((await ask(server)).status, 500);
    }, { onError: (error) => void errors.push(error) });
    assert.match(String(errors), /A file must be/);
  });
});

test("environ() refuses anything but a function", () => {
  assert.throws(() => environ({} as never), TypeError);
});

test("requests of one connection are answered in order, however long each app takes", async () => {
  const app: EnvironApp = async function* (env, startResponse) {
    const n = Number(env.PATH_INFO.slice(1));
    for (let i = n; i < 20; i++) {
      await undefined;
    }
    startResponse("200 OK", []);
    yield `${n}`;
  };
  await serveApp(app, async (server) => {
    const connection = await open(server);
    const numbers = Array.from({ length: 20 }, (_, i) => i);
    connection.write(Buffer.concat(numbers.map((n) => octets({ target: `/${n}` }, ""))));
    for (const n of numbers) {
      assert.equal((await connection.answer()).text, String(n));
    }
    connection.close();
  });
});
