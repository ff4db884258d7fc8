// Apps of frameworks run unchanged.
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { Elysia } from "elysia";
import { H3, readBody } from "h3";
import { Hono } from "hono";
import { AutoRouter, type IRequest } from "itty-router";
import type { ForeignApp, Server } from "../mod.ts";
import { ask, octets, open, serve } from "./support/client.ts";

const hono = new Hono();
hono.use(async (context, next) => {
  await next();
  context.header("X-Middleware", "passed");
});
hono.get("/text", (context) => context.text("text"));
hono.get("/json", (context) => context.json({ json: true }));
hono.get(
  "/users/:id",
  (context) => context.text(`${context.req.param("id")} ${context.req.query("q")}`),
);
hono.post("/echo", async (context) => context.json(await context.req.json(), 201));
hono.get("/throws", () => {
  throw new Error("secret");
});
hono.onError((_error, context) => context.text("caught", 500));

const elysia = new Elysia()
  .onAfterHandle(({ set }) => {
    set.headers["X-Middleware"] = "passed";
  })
  .onError(({ code }) => code === "NOT_FOUND" ? undefined : "caught")
  .get("/text", () => "text")
  .get("/json", () => ({ json: true }))
  .get("/users/:id", ({ params, query }) => `${params.id} ${query.q}`)
  .post("/echo", ({ body, set }) => {
    set.status = 201;
    return body as object;
  })
  .get("/throws", () => {
    throw new Error("secret");
  });

const h3 = new H3({ silent: true });
h3.use((event, next) => {
  event.res.headers.set("X-Middleware", "passed");
  return next();
});
h3.get("/text", () => "text");
h3.get("/json", () => ({ json: true }));
h3.get("/users/:id", (event) => `${event.context.params!.id} ${event.url.searchParams.get("q")}`);
h3.post("/echo", async (event) => {
  event.res.status = 201;
  return await readBody(event);
});
h3.get("/throws", () => {
  throw new Error("secret");
});

const itty = AutoRouter({
  catch: () => new Response("caught", { status: 500 }),
  finally: [
    (response: Response) => {
      response.headers.set("X-Middleware", "passed");
    },
  ],
});
itty.get("/text", () => new Response("text"));
itty.get("/json", () => ({ json: true }));
itty.get("/users/:id", ({ params, query }: IRequest) => new Response(`${params.id} ${query.q}`));
itty.post(
  "/echo",
  async (request: IRequest) => Response.json(await request.json(), { status: 201 }),
);
itty.get("/throws", () => {
  throw new Error("secret");
});

type Check = (server: Server) => Promise<void>;
const checks: Record<string, Check> = {
  "answers text": async (server) => {
    const answer = await ask(server, { target: "/text" });
    assert.deepEqual([answer.status, answer.text], [200, "text"]);
    assert.match(answer.get("content-type")!, /^text\/plain/);
  },
  "answers JSON": async (server) => {
    const answer = await ask(server, { target: "/json" });
    assert.deepEqual([answer.status, JSON.parse(answer.text)], [200, { json: true }]);
    assert.match(answer.get("content-type")!, /^application\/json/);
  },
  "reads the path and the query": async (server) => {
    assert.equal((await ask(server, { target: "/users/42?q=a%20b" })).text, "42 a b");
  },
  "runs its middleware": async (server) => {
    assert.equal((await ask(server, { target: "/text" })).get("x-middleware"), "passed");
  },
  "reads JSON of a body": async (server) => {
    const content = { text: "é", list: Array.from({ length: 20_000 }, (_, i) => i) };
    const body = JSON.stringify(content);
    const headers = { "Content-Type": "application/json" };
    for (const each of [body, [body.slice(0, 5000), body.slice(5000)]]) {
      const answer = await ask(server, { target: "/echo", headers, body: each });
      assert.equal(answer.status, 201);
      assert.deepEqual(JSON.parse(answer.text), content);
    }
  },
  "answers 404 to an unknown path": async (server) => {
    assert.equal((await ask(server, { target: "/none" })).status, 404);
  },
  "answers 500 when a handler throws": async (server) => {
    const answer = await ask(server, { target: "/throws" });
    assert.equal(answer.status, 500);
    assert.doesNotMatch(answer.text, /\.ts|node_modules/);
  },
  "answers pipelined requests in order": async (server) => {
    const connection = await open(server);
    const ids = [1, 2, 3, 4, 5];
    ids.forEach((id) => connection.write(octets({ target: `/users/${id}?q=x` }, "")));
    for (const id of ids) {
      assert.equal((await connection.answer()).text, `${id} x`);
    }
    connection.close();
  },
};

for (const [name, app] of Object.entries<ForeignApp>({ Hono: hono, Elysia: elysia, h3, itty })) {
  for (const [fact, check] of Object.entries(checks)) {
    test(`${name}: an app ${fact}`, async () => {
      await serve(app, check);
    });
  }
}

test("Hono: the runtime's conninfo knows the client", async () => {
  const { getConnInfo } = process.versions.bun
    ? await import("hono/bun")
    : await import("hono/deno");
  const app = new Hono().get("/", (context) => context.json(getConnInfo(context).remote));
  await serve(app, async (server) => {
    const connection = await open(server);
    const { localPort } = connection.socket;
    const { address, port } = JSON.parse((await connection.write(octets({})).answer()).text);
    assert.deepEqual([address, port], ["127.0.0.1", localPort]);
    connection.close();
  });
});

test("Hono: streams and server-sent events arrive as they are written", async () => {
  const { streamSSE, streamText } = await import("hono/streaming");
  const release = Promise.withResolvers<void>();
  const app = new Hono();
  app.get("/text", (context) =>
    streamText(context, async (stream) => {
      await stream.write("one");
      await release.promise;
      await stream.write("two");
    }));
  app.get("/events", (context) =>
    streamSSE(context, async (stream) => {
      await stream.writeSSE({ data: "hello", event: "greeting" });
    }));
  await serve(app, async (server) => {
    const connection = await open(server);
    const answer = await connection.write(octets({ target: "/text" })).head();
    assert.equal((await connection.chunk(answer))?.toString(), "one");
    release.resolve();
    assert.equal((await connection.chunk(answer))?.toString(), "two");
    assert.equal(await connection.chunk(answer), undefined);
    assert.ok(answer.complete);
    connection.close();
    const events = await ask(server, { target: "/events" });
    assert.equal(events.text, "event: greeting\ndata: hello\n\n");
  });
});
