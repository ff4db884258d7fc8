// What a handler may return, and what reaches the client.
import assert from "node:assert/strict";
import process from "node:process";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { type Answer, ask, octets, open, serve } from "./support/client.ts";

// Saved before any server runs.
const Native = globalThis.Response;
const encoder = new TextEncoder();
const bytes = Uint8Array.from({ length: 300 }, (_, i) => i);
const TEXT = "text/plain";
const FORM = "application/x-www-form-urlencoded";

/** The media type without its parameters, which the runtimes add or not. */
function mediaType(answer: Answer): string | undefined {
  return answer.get("content-type")?.split(";")[0];
}

function stream(...chunks: Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull(controller) {
      const chunk = chunks.shift();
      chunk ? controller.enqueue(chunk) : controller.close();
    },
  });
}

async function* generator() {
  yield encoder.encode("one, ");
  await Promise.resolve();
  yield encoder.encode("two");
}

/** Not every runtime accepts generators. */
const takesGenerators = await new Native(generator() as never).text() === "one, two";

interface Row {
  name: string;
  body: () => unknown;
  content: string | Uint8Array;
  type?: string;
  isStream?: boolean;
}

const rows: Row[] = [
  { name: "a string", body: () => "Hello", content: "Hello", type: TEXT },
  { name: "an empty string", body: () => "", content: "", type: TEXT },
  { name: "a string of other scripts", body: () => "é€😀", content: "é€😀", type: TEXT },
  {
    name: "a long text of wide characters",
    body: () => `a${"😀".repeat(300_000)}`,
    content: `a${"😀".repeat(300_000)}`,
    type: TEXT,
  },
  {
    name: "a long text of characters of every width, and halves",
    body: () => "aü€😀\ud83d".repeat(60_000),
    content: "aü€😀\ufffd".repeat(60_000),
    type: TEXT,
  },
  { name: "half a surrogate pair", body: () => "a\ud83d", content: "a\ufffd", type: TEXT },
  ...[63, 64, 65, 87_381, 87_382, 262_144, 1_048_576, 3_000_000].flatMap((size) =>
    ["a", "€"].map((letter) => {
      const text = letter.repeat(size);
      return { name: `${letter} ${size} times`, body: () => text, content: text, type: TEXT };
    })
  ),
  { name: "bytes", body: () => bytes, content: bytes },
  { name: "no bytes", body: () => new Uint8Array(), content: "" },
  { name: "a part of a buffer", body: () => bytes.subarray(3, 9), content: bytes.slice(3, 9) },
  {
    name: "words",
    body: () => new Uint16Array(bytes.slice(0, 4).buffer),
    content: "\0\x01\x02\x03",
  },
  { name: "an ArrayBuffer", body: () => bytes.buffer, content: bytes },
  { name: "a DataView", body: () => new DataView(bytes.buffer, 5, 5), content: bytes.slice(5, 10) },
  { name: "a Blob", body: () => new Blob(["b", "lob"]), content: "blob" },
  {
    name: "a Blob with a type",
    body: () => new Blob(["{}"], { type: "application/json" }),
    content: "{}",
    type: "application/json",
  },
  {
    name: "a form",
    body: () => new URLSearchParams("a=1&b=ü"),
    content: "a=1&b=%C3%BC",
    type: FORM,
  },
  {
    name: "a stream",
    body: () => stream(encoder.encode("one, "), encoder.encode("two")),
    content: "one, two",
    isStream: true,
  },
  { name: "an empty stream", body: () => stream(), content: "", isStream: true },
  {
    name: "a long stream",
    body: () => stream(...Array.from({ length: 40 }, () => new Uint8Array(100_000).fill(7))),
    content: new Uint8Array(4_000_000).fill(7),
    isStream: true,
  },
  { name: "a number", body: () => 42, content: "42", type: TEXT },
  { name: "an object that is a text", body: () => new URL("a:b"), content: "a:b", type: TEXT },
  { name: "null", body: () => null, content: "" },
  { name: "undefined", body: () => undefined, content: "" },
  ...(takesGenerators
    ? [{ name: "an async generator", body: generator, content: "one, two", isStream: true }]
    : []),
];

function assertContent(answer: Answer, { content, isStream }: Row): void {
  const expected = Buffer.from(content as string);
  assert.ok(answer.complete);
  assert.ok(answer.body.equals(expected), `${answer.body.length} octets of ${expected.length}`);
  if (isStream) {
    assert.equal(answer.get("transfer-encoding"), "chunked");
  } else {
    assert.equal(answer.get("content-length"), `${expected.length}`);
  }
}

/** Bun's native Response hides the type of a string; content that reads as text gets one. */
function hiddenType({ content }: Row): string | undefined {
  const reads = typeof content === "string" && content.length < 1000 && !content.includes("\0") &&
    content !== "";
  return process.versions.bun && reads ? "text/plain;charset=UTF-8" : undefined;
}

for (const row of rows) {
  test(`a Response of ${row.name} arrives with its type and its length`, async () => {
    const headers = { "X-More": "yes" };
    const inits: (ResponseInit | undefined)[] = [undefined, {}, { status: 201 }, { headers }];
    const app = (request: Request) =>
      new Response(row.body() as BodyInit, inits[Number(request.url.at(-1))]);
    await serve(app, async (server) => {
      for (const [i, init] of inits.entries()) {
        const answer = await ask(server, { target: `/${i}` });
        assert.equal(answer.status, init?.status ?? 200);
        assert.ok(init || mediaType(answer) === row.type);
        assert.equal(answer.get("x-more"), init?.headers ? "yes" : undefined);
        assertContent(answer, row);
      }
    });
  });

  test(`a Response of ${row.name} from before the server started arrives`, async () => {
    const response = new Native(row.body() as BodyInit);
    const type = response.headers.get("content-type") ?? undefined;
    await serve(() => response, async (server) => {
      const answer = await ask(server);
      assert.ok(answer.complete);
      assert.ok(answer.body.equals(Buffer.from(row.content as string)));
      assert.ok(row.isStream || answer.get("content-type") === (type ?? hiddenType(row)));
    });
  });
}

test("a string is text/plain in UTF-8, whatever else the Response sets", async () => {
  const made = [
    () => new Response("é"),
    () => new Response("é", {}),
    () => new Response("é", { status: 404 }),
    () => new Response("é", { headers: { "X-A": "1" } }),
    () => new Response("é", { headers: new Headers() }),
  ];
  await serve((request) => made[Number(request.url.at(-1))](), async (server) => {
    for (const i of made.keys()) {
      const type = (await ask(server, { target: `/${i}` })).get("content-type");
      assert.equal(type?.toLowerCase(), "text/plain;charset=utf-8", made[i].toString());
    }
  });
});

test("a Response of FormData arrives with its boundary", async () => {
  const form = new FormData();
  form.set("name", "wärt");
  form.set("file", new File(["content"], "a.txt", { type: "text/plain" }));
  await serve(() => new Response(form), async (server) => {
    const { body, ...answer } = await ask(server);
    const type = new Map(answer.fields).get("content-type") ?? "";
    assert.match(type, /^multipart\/form-data; ?boundary=/);
    const sent = new Native(new Uint8Array(body), { headers: { "content-type": type } });
    const read = await sent.formData();
    assert.equal(read.get("name"), "wärt");
    assert.equal(await (read.get("file") as File).text(), "content");
  });
});

test("bytes are sent as they were when the Response was made", async () => {
  const app = () => {
    const content = encoder.encode("before");
    const response = new Response(content);
    content.fill(0);
    return response;
  };
  await serve(app, async (server) => {
    assert.equal((await ask(server)).text, "before");
  });
});

const results: { name: string; result: () => unknown; content: string; type?: string }[] = [
  { name: "a string", result: () => "é€", content: "é€", type: TEXT },
  { name: "an empty string", result: () => "", content: "", type: TEXT },
  { name: "a long string", result: () => "é".repeat(1e6), content: "é".repeat(1e6), type: TEXT },
  { name: "a Uint8Array", result: () => encoder.encode("é"), content: "é" },
  { name: "an empty Uint8Array", result: () => new Uint8Array(), content: "" },
  { name: "a Buffer", result: () => Buffer.from("buffer"), content: "buffer" },
  {
    name: "a long Uint8Array",
    result: () => encoder.encode("z".repeat(3e6)),
    content: "z".repeat(3e6),
  },
];

for (const { name, result, content, type } of results) {
  test(`${name} is an answer, also from a promise`, async () => {
    const app = (request: Request) =>
      request.url.endsWith("/async") ? Promise.resolve().then(result) : result();
    await serve(app, async (server) => {
      for (const target of ["/sync", "/async"]) {
        const answer = await ask(server, { target });
        assert.equal(answer.status, 200);
        assert.equal(mediaType(answer), type);
        assertContent(answer, { name, body: result, content });
      }
    });
  });
}

const json: [name: string, make: () => Response, content: string, status: number][] = [
  ["an object", () => Response.json({ a: "é", b: [1, null] }), '{"a":"é","b":[1,null]}', 200],
  ["null", () => Response.json(null), "null", 200],
  ["an init of null", () => Response.json(1, null as never), "1", 200],
  ["a status", () => Response.json("no", { status: 418 }), '"no"', 418],
];
if (process.versions.bun) {
  json.push(["a status alone", () => Response.json("no", 418 as never), '"no"', 418]);
}
for (const [name, make, content, status] of json) {
  test(`Response.json of ${name} is JSON`, async () => {
    await serve(make, async (server) => {
      const answer = await ask(server);
      assert.equal(answer.status, status);
      assert.match(answer.get("content-type")!, /^application\/json/);
      assert.equal(answer.text, content);
    });
  });
}

test("Response.json keeps given headers and a given type", async () => {
  const headers = { "Content-Type": "application/problem+json", "X-A": "1" };
  await serve(() => Response.json({}, { headers }), async (server) => {
    const answer = await ask(server);
    assert.equal(answer.get("content-type"), "application/problem+json");
    assert.equal(answer.get("x-a"), "1");
  });
});

test("Response.json throws for values without a JSON form, as the native one does", async () => {
  const thrown = (make: () => unknown) => {
    try {
      return make() && undefined;
    } catch (error) {
      return (error as Error).name;
    }
  };
  await serve(() => "", async () => {
    const cyclic: { self?: unknown } = {};
    cyclic.self = cyclic;
    for (const value of [undefined, () => {}, Symbol("x"), 1n, cyclic]) {
      assert.equal(thrown(() => Response.json(value)), thrown(() => Native.json(value)));
    }
    await Promise.resolve();
  });
});

test("Response.redirect has a Location and no body", async () => {
  for (const status of [undefined, 301, 302, 303, 307, 308]) {
    await serve(() => Response.redirect("http://a.example/b?c", status), async (server) => {
      const answer = await ask(server);
      assert.equal(answer.status, status ?? 302);
      assert.equal(answer.get("location"), "http://a.example/b?c");
      assert.equal(answer.text, "");
      assert.equal(answer.get("content-length"), "0");
    });
  }
});

test("status and statusText are the handler's", async () => {
  const app = () => new Response("x", { status: 299, statusText: "Schön gut" });
  await serve(app, async (server) => {
    const { status, reason } = await ask(server);
    assert.deepEqual([status, reason], [299, "Schön gut"]);
  });
});

/** Not every runtime refuses a body for these statuses. */
const takesAnyBody = (() => {
  try {
    return new Native("x", { status: 205 }).status === 205;
  } catch {
    return false;
  }
})();

test("a Response of a status without a body has none", async () => {
  const bodies = [null, ...(takesAnyBody ? ["text", bytes, "x".repeat(1e6)] : [])];
  const app = (body: BodyInit | null, status: number) => () => new Response(body, { status });
  for (const status of [204, 205, 304]) {
    for (const body of bodies) {
      await serve(app(body, status), async (server) => {
        const connection = await open(server);
        connection.write(octets({}, "")).write(octets({}));
        for (const _ of [1, 2]) {
          const answer = await connection.answer();
          assert.deepEqual([answer.status, answer.text], [status, ""]);
        }
        await connection.closed;
        connection.close();
      });
    }
  }
  const parts = () => new Response(stream(bytes, bytes), { status: 205 });
  await serve(takesAnyBody ? parts : app(null, 205), async (server) => {
    const answer = await ask(server);
    assert.deepEqual([answer.text, answer.get("content-length")], ["", "0"]);
  });
});

test("every Set-Cookie is a line of its own", async () => {
  const app = () => {
    const response = new Response("x", { headers: [["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"]] });
    response.headers.append("set-cookie", "c=3; Expires=Wed, 21 Oct 2015 07:28:00 GMT");
    return response;
  };
  await serve(app, async (server) => {
    const cookies = (await ask(server)).all("set-cookie");
    assert.deepEqual(cookies, ["a=1", "b=2", "c=3; Expires=Wed, 21 Oct 2015 07:28:00 GMT"]);
  });
});

test("headers may be changed after the Response was made", async () => {
  const app = async (request: Request) => {
    const response = new Response("text");
    const { headers } = response;
    headers.set("X-Late", "ä");
    headers.append("Vary", "a");
    headers.append("Vary", "b");
    if (request.url.endsWith("/typeless")) {
      headers.delete("content-type");
    } else {
      headers.set("content-type", "text/html");
    }
    await Promise.resolve();
    headers.set("X-Later", "2");
    return response;
  };
  await serve(app, async (server) => {
    const answer = await ask(server);
    assert.equal(answer.get("x-late"), "ä");
    assert.equal(answer.get("x-later"), "2");
    assert.equal(answer.get("vary"), "a, b");
    assert.equal(answer.get("content-type"), "text/html");
    assert.equal((await ask(server, { target: "/typeless" })).get("content-type"), undefined);
  });
});

test("headers that were only looked at are sent as they are", async () => {
  const app = () => {
    const response = new Response("text");
    [...response.headers];
    return response;
  };
  await serve(app, async (server) => {
    const answer = await ask(server);
    assert.equal(answer.get("content-type")?.toLowerCase(), "text/plain;charset=utf-8");
    assert.equal(answer.text, "text");
  });
});

test("the server decides the framing, whatever the handler's headers say", async () => {
  const headers = { "Content-Length": "3", "Transfer-Encoding": "gzip", "Keep-Alive": "x" };
  for (const body of ["Hello", encoder.encode("Hello"), new Blob(["Hello"])]) {
    await serve(() => new Response(body, { headers }), async (server) => {
      const answer = await ask(server);
      assert.equal(answer.get("content-length"), "5");
      assert.equal(answer.get("transfer-encoding"), undefined);
      assert.equal(answer.text, "Hello");
    });
  }
});

test("the handler's own Date replaces the server's, its Connection: close is honoured", async () => {
  const headers = { Date: "Wed, 21 Oct 2015 07:28:00 GMT", Connection: "close" };
  await serve(() => new Response("x", { headers }), async (server) => {
    const connection = await open(server);
    const answer = await connection.write(octets({}, "")).answer();
    assert.equal(answer.get("date"), headers.Date);
    assert.equal(answer.get("connection"), "close");
    await connection.closed;
    connection.close();
  });
});

test("bytes are sent as they were when the Response was made, even if they change", () =>
  serve(() => {
    const scratch = new Uint8Array(1000).fill(97);
    const view = scratch.subarray(10, 20);
    const response = new Response(view);
    scratch.fill(98);
    return response;
  }, async (server) => assert.equal((await ask(server)).text, "aaaaaaaaaa")));

test("more bytes than are offered at once, pipelined, over a fast connection", () => {
  const large = new Uint8Array(9 * 1024 * 1024 + 1).fill(97);
  return serve(() => new Response(large), async (server) => {
    const connection = await open(server);
    connection.write(octets({}, "")).write(octets({}, ""));
    for (let i = 0; i < 2; i++) {
      const answer = await connection.answer();
      assert.ok(answer.complete);
      assert.ok(answer.body.equals(large));
    }
    connection.close();
  });
});
