// Servers that are stopped during their own calls, and run again at once on the same port.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Info, type Result, run, type Server } from "../mod.ts";
import { ask, octets, open, quiet, until, within } from "./support/client.ts";

/** A handler for `/end` that calls `end` somewhere. */
type Place = (end: () => void, request: Request, info: Info) => Result | Promise<Result>;

const never = () => new Promise<never>(() => {});

const places: Record<string, Place> = {
  "a handler": (end) => {
    end();
    return "the end";
  },
  "a handler that fails": (end) => {
    end();
    throw new Error("the end");
  },
  "a handler that has waited": async (end) => {
    await undefined;
    end();
    return new Response("the end");
  },
  "a handler that goes on to wait": (end) => {
    end();
    return never();
  },
  "a timer": (end) => {
    setTimeout(end);
    return never();
  },
  "a loop over a body": async (end, { body }) => {
    for await (const _ of body!) {
      end();
    }
    return "the end";
  },
  "a stream's pull": (end) => new Response(new ReadableStream({ pull: end })),
  "a stream's pull, later": (end) => {
    let parts = 0;
    const pull = (to: ReadableStreamDefaultController) =>
      ++parts < 3 ? to.enqueue(new Uint8Array(70_000)) : end();
    return new Response(new ReadableStream({ pull }));
  },
  "a callback of completed": (end, _, { completed }) => {
    void completed.then(end);
    return "the end";
  },
  "waitUntil()": (end, _, info) => {
    info.waitUntil(Promise.resolve().then(end));
    return "the end";
  },
};

for (const way of ["stop", "shutdown"] as const) {
  for (const [name, place] of Object.entries(places)) {
    test(`${way}() and run() on the same port in ${name}`, async () => {
      const servers: Server[] = [];
      const app = async (request: Request, info: Info): Promise<Result> => {
        const { pathname } = new URL(request.url);
        if (pathname !== "/end") {
          return pathname;
        }
        return await place(
          () => {
            if (servers.length === 1) {
              void first.shutdown({ timeout: 200 });
              if (way === "stop") {
                first.stop();
              }
              begin(first.port);
            }
          },
          request,
          info,
        );
      };
      const errors: string[] = [];
      const onError = (error: unknown) => void errors.push((error as Error).message);
      const begin = (port: number): Server => {
        const server = run(app, { port, onError });
        servers.push(server);
        return server;
      };
      const first = begin(0);
      const connections = await Promise.all([open(first), open(first), open(first)]);
      const end = octets({ target: "/end", method: "POST", body: "body" }, "");
      // Several requests in one turn, before and after the one that ends the server.
      for (const connection of connections) {
        connection.write(octets({ target: "/a" }, "")).write(end).write(octets({ target: "/b" }));
      }
      await until(() => servers.length === 2, "the next server");
      const [, second] = servers;
      assert.equal(second.port, first.port);
      for (const target of ["/c", "/d"]) {
        assert.equal((await ask(second, { target })).text, target);
      }
      await within(first.finished, "the end of the first");
      for (const connection of connections) {
        if (way === "shutdown" || await connection.arrival()) {
          assert.equal((await connection.answer()).text, "/a");
        }
      }
      assert.deepEqual(errors.filter((message) => message !== "the end"), []);
      await within(Promise.all(connections.map(({ closed }) => closed)), "the end of its clients");
      connections.forEach((connection) => connection.close());
      await quiet(second);
      second.stop();
    });
  }
}
