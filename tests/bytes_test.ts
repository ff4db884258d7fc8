// A Response is sent with the bytes it was made from, whatever happens meanwhile. The copy of them
// is freed then, at nobody else's cost.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Handler } from "../mod.ts";
import { ask, octets, open, serve } from "./support/client.ts";

/** Octets that identify their response. */
const content = (size: number, seed: number) =>
  Uint8Array.from({ length: size }, (_, i) => (i * 7 + seed * 31) % 251);

const numberOf = (request: Request) => Number(new URL(request.url).pathname.slice(1));

/** Requests the numbers from 0 on one connection at once: each gets its own octets. */
async function assertEach(app: Handler, sizes: number[]): Promise<void> {
  await serve(app, async (server) => {
    const connection = await open(server);
    sizes.forEach((_, i) => connection.write(octets({ target: `/${i}` }, "")));
    for (const [i, size] of sizes.entries()) {
      const answer = await connection.answer();
      assert.equal(answer.status, 200);
      assert.ok(answer.body.equals(content(size, i)), `answer ${i} of ${size} octets`);
    }
    connection.close();
  });
}

describe("bytes of every size", () => {
  const sizes = [1, 4095, 4096, 16384, 16385, 65536, 131072, 131073, 300_000, 0, 524_288, 10];

  test("at once", () =>
    assertEach((request) => {
      const number = numberOf(request);
      return new Response(content(sizes[number], number));
    }, sizes));

  test("later", () =>
    assertEach(async (request) => {
      const number = numberOf(request);
      await null;
      return new Response(content(sizes[number], number).buffer);
    }, sizes));
});

test("more bytes in a turn than there is room for", () => {
  const sizes = Array.from({ length: 60 }, (_, i) => 60_000 + i);
  return assertEach((request) => {
    const number = numberOf(request);
    return new Response(content(sizes[number], number));
  }, sizes);
});

test("responses that are never sent affect no others", () => {
  const sizes = Array.from({ length: 40 }, () => 50_000);
  return assertEach((request) => {
    for (let i = 0; i < 30; i++) {
      new Response(new Uint8Array(100_000));
    }
    const number = numberOf(request);
    return new Response(content(sizes[number], number));
  }, sizes);
});

test("a response that is returned turns after it was made", async () => {
  const sizes = Array.from({ length: 16 }, () => 20_000);
  const made: Promise<Response>[] = [];
  await assertEach((request) => {
    const number = numberOf(request);
    made[number] = Promise.resolve(new Response(content(sizes[number], number)));
    return new Promise((resolve) => setTimeout(() => resolve(made[number]), 5 * (number % 3)));
  }, sizes);
});

test("a response that is made for one server and returned by another", async () => {
  let made: Response;
  await serve(() => {
    made = new Response(content(30_000, 1));
    return new Response("made");
  }, (maker) =>
    serve(() => made, async (server) => {
      assert.equal((await ask(maker)).text, "made");
      assert.ok((await ask(server)).body.equals(content(30_000, 1)));
    }));
});

test("a response that outlives its server", async () => {
  let made: Response;
  await serve(() => {
    made = new Response(content(30_000, 2));
    return new Response("made");
  }, async (server) => assert.equal((await ask(server)).text, "made"));
  await serve(
    () => made,
    async (server) => assert.ok((await ask(server)).body.equals(content(30_000, 2))),
  );
});

test("reading, cloning or wrapping such a response gives its bytes", async () => {
  const app = async (request: Request) => {
    const response = new Response(content(30_000, 3), { headers: { "x-a": "b" } });
    switch (numberOf(request)) {
      case 0:
        return response.clone();
      case 1:
        return new Response(response.body, response);
      case 2:
        return new Response(await response.bytes());
      default:
        response.clone();
        return response;
    }
  };
  await serve(app, async (server) => {
    for (let i = 0; i < 4; i++) {
      assert.ok((await ask(server, { target: `/${i}` })).body.equals(content(30_000, 3)), `${i}`);
    }
  });
});

test("HEAD gets their length", () =>
  serve(() => new Response(content(30_000, 4)), async (server) => {
    const head = await ask(server, { method: "HEAD" });
    assert.equal(head.get("content-length"), "30000");
    assert.equal(head.body.length, 0);
  }));

describe("sending large bytes leaves other references to them intact", () => {
  const size = 200_000;
  const bytes = content(size, 5);

  /** Sends such a response a few times, then checks the other reference. */
  async function assertKept(respond: () => Response | Promise<Response>, kept: () => Body | Blob) {
    await serve(respond, async (server) => {
      for (let i = 0; i < 4; i++) {
        assert.ok((await ask(server)).body.equals(bytes), `answer ${i}`);
      }
    });
    assert.deepEqual(new Uint8Array(await kept().arrayBuffer()), content(size, 5));
    assert.deepEqual(bytes, content(size, 5));
  }

  test("a Blob", () => {
    const blob = new Blob([bytes]);
    return assertKept(() => new Response(blob), () => blob);
  });

  test("the bytes", () => assertKept(() => new Response(bytes), () => new Blob([bytes])));

  test("bytes that a subclass returns", () => {
    class Shown extends Response {
      override bytes() {
        return Promise.resolve(bytes);
      }
    }
    return assertKept(() => new Shown(bytes), () => new Blob([bytes]));
  });

  test("a clone", () => {
    let clone: Response | undefined;
    return assertKept(() => {
      const response = new Response(bytes);
      clone = response.clone();
      return response;
    }, () => clone!);
  });

  test("the original of a clone", () => {
    let response: Response | undefined;
    return assertKept(() => {
      response = new Response(bytes);
      return response.clone();
    }, () => response!);
  });

  test("a clone's clone, which is sent", () => {
    let clone: Response | undefined;
    return assertKept(() => {
      clone = new Response(bytes).clone();
      return clone.clone();
    }, () => clone!);
  });

  test("a Response of another one's body", () => {
    let clone: Response | undefined;
    return assertKept(() => {
      const response = new Response(bytes);
      clone = response.clone();
      return new Response(response.body);
    }, () => clone!);
  });
});

test("a response whose bytes were sent counts as used", async () => {
  const made: Response[] = [];
  await serve(() => {
    const response = new Response(content(200_000, 6));
    made.push(response);
    return response;
  }, async (server) => assert.ok((await ask(server)).body.equals(content(200_000, 6))));
  assert.equal(made[0].bodyUsed, true);
  await assert.rejects(made[0].bytes());
});
