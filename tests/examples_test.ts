// The examples work as described.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Chat, type Message } from "../examples/chat.ts";
import { app as hono } from "../examples/hono.ts";
import { watch } from "../examples/metrics.ts";
import { Feed } from "../examples/sse.ts";
import { site } from "../examples/static.ts";
import { uploads } from "../examples/upload.ts";
import { run, type Server } from "../mod.ts";
import { MOD, runFileIn, runText } from "./support/child.ts";
import {
  type Answer,
  ask,
  type Connection,
  octets,
  open,
  serve,
  until,
  within,
} from "./support/client.ts";

describe("chat", () => {
  const listen = (after = 0) => octets({ target: `/messages?after=${after}` }, "");
  const messages = (answer: Answer): Message[] => JSON.parse(answer.text);

  /** Connections that wait for new messages, with several requests each. */
  async function suspend(
    server: Server,
    chat: Chat,
    count: number,
    each: number,
  ): Promise<Connection[]> {
    const connections = await Promise.all(Array.from({ length: count }, () => open(server)));
    for (const connection of connections) {
      connection.write(Buffer.concat(Array(each).fill(listen())));
    }
    await until(() => chat.suspended === count * each, "all requests wait");
    return connections;
  }

  test("1,000 suspended requests are resumed at once, and their connections stay usable", async () => {
    const chat = new Chat();
    await serve(chat, async (server) => {
      const connections = await suspend(server, chat, 25, 40);
      assert.equal(server.pendingRequests, 1000);
      assert.equal((await ask(server, { target: "/messages", body: "hello" })).status, 204);
      assert.equal(chat.suspended, 0);
      for (const connection of connections) {
        for (let i = 0; i < 40; i++) {
          assert.deepEqual(messages(await connection.answer()), [{ id: 1, text: "hello" }]);
        }
      }
      for (const connection of connections) {
        connection.write(listen(1));
      }
      await until(() => chat.suspended === 25, "they wait again");
      chat.say("again");
      for (const connection of connections) {
        assert.deepEqual(messages(await connection.answer()), [{ id: 2, text: "again" }]);
        connection.close();
      }
    });
  });

  test("requests are dropped when their clients leave, the others are not", async () => {
    const chat = new Chat();
    await serve(chat, async (server) => {
      const connections = await suspend(server, chat, 20, 10);
      connections.slice(0, 10).forEach((connection) => connection.close());
      connections.slice(10, 15).forEach((connection) => connection.socket.resetAndDestroy());
      await until(() => chat.suspended === 50, "those who left are gone");
      chat.say("hello");
      for (const connection of connections.slice(15)) {
        assert.equal(messages(await connection.answer()).length, 1);
        connection.close();
      }
    });
  });

  test("a request that has waited too long gets an empty list", async () => {
    const chat = new Chat(1);
    await serve(chat, async (server) => {
      const answer = await ask(server, { target: "/messages" });
      assert.deepEqual([answer.status, messages(answer)], [200, []]);
      assert.equal(chat.suspended, 0);
    });
  });

  test("earlier messages are sent at once", async () => {
    const chat = new Chat();
    await serve(chat, async (server) => {
      for (let i = 1; i <= 150; i++) {
        chat.say(`message ${i}`);
      }
      const all = messages(await ask(server, { target: "/messages" }));
      assert.deepEqual([all.length, all[0].id, all[99].id], [100, 51, 150]);
      const rest = messages(await ask(server, { target: "/messages?after=148" }));
      assert.deepEqual(rest.map(({ text }) => text), ["message 149", "message 150"]);
    });
  });

  test("a server that stops keeps no request waiting", async () => {
    const chat = new Chat();
    const server = run(chat, { port: 0 });
    const [connection] = await suspend(server, chat, 1, 5);
    server.stop();
    assert.equal(chat.suspended, 0);
    await connection.closed;
    connection.close();
    await server.finished;
  });

  test("a server that shuts down keeps no request waiting", async () => {
    const chat = new Chat();
    const server = run(chat, { port: 0 });
    const [connection] = await suspend(server, chat, 1, 1);
    const ended = server.shutdown();
    assert.deepEqual(messages(await connection.answer()), []);
    await within(ended, "the shutdown");
    connection.close();
  });

  test("its page is there", () =>
    serve(new Chat(), async (server) => {
      const answer = await ask(server);
      assert.equal(answer.get("content-type"), "text/html");
      assert.match(answer.text, /^<!doctype html>/);
    }));
});

describe("server-sent events", () => {
  const text = async (connection: Connection, answer: Answer) =>
    (await connection.chunk(answer))?.toString();

  async function subscribe(server: Server): Promise<[Connection, Answer]> {
    const connection = await open(server);
    const answer = await connection.write(octets({ target: "/events" }, "")).head();
    assert.equal(answer.get("content-type"), "text/event-stream");
    assert.equal(await text(connection, answer), "retry: 1000\n\n");
    return [connection, answer];
  }

  test("every client gets every event, and clients that leave are forgotten", async () => {
    const feed = new Feed();
    await serve(feed, async (server) => {
      const clients = await Promise.all(Array.from({ length: 10 }, () => subscribe(server)));
      assert.equal(feed.clients, 10);
      feed.publish("one");
      for (const client of clients) {
        assert.equal(await text(...client), "id: 1\ndata: one\n\n");
      }
      feed.beat();
      for (const client of clients) {
        assert.equal(await text(...client), ":\n\n");
      }
      clients.slice(0, 4).forEach(([connection]) => connection.close());
      clients.slice(4, 7).forEach(([connection]) => connection.socket.resetAndDestroy());
      await until(() => feed.clients === 3, "those who left are gone");
      feed.publish("two\nlines");
      for (const client of clients.slice(7)) {
        assert.equal(await text(...client), "id: 2\ndata: two\ndata: lines\n\n");
        client[0].close();
      }
    });
    assert.equal(feed.clients, 0);
  });

  test("no idle timeout cuts a silent stream", async () => {
    const feed = new Feed();
    const short = 20;
    const options = {
      keepAliveTimeout: short,
      headTimeout: short,
      bodyTimeout: short,
      writeTimeout: short,
    };
    await serve(feed, async (server) => {
      const client = await subscribe(server);
      for (let i = 1; i <= 3; i++) {
        // Long enough for an idle connection to be closed twice.
        for (let n = 0; n < 2; n++) {
          const idle = await open(server);
          await idle.write(octets({}, "")).answer();
          await idle.closed;
        }
        feed.publish(String(i));
        assert.equal(await text(...client), `id: ${i}\ndata: ${i}\n\n`);
      }
      client[0].close();
    }, options);
  });

  test("a server that shuts down ends them", async () => {
    const feed = new Feed();
    const server = run(feed, { port: 0 });
    const [connection, answer] = await subscribe(server);
    const ended = server.shutdown();
    assert.equal(await text(connection, answer), undefined);
    await within(ended, "the shutdown");
    assert.equal(feed.clients, 0);
    connection.close();
  });

  test("a client that falls too far behind is cut", async () => {
    const feed = new Feed();
    await serve(feed, async (server) => {
      const [connection] = await subscribe(server);
      connection.socket.pause();
      const event = "x".repeat(65536);
      for (let i = 0; i < 10_000 && feed.clients > 0; i++) {
        feed.publish(event);
        await new Promise((resolve) => setTimeout(resolve));
      }
      assert.equal(feed.clients, 0);
      connection.close();
    }, { onError: () => {} });
  });
});

describe("Hono", () => {
  test("runs unchanged", () =>
    serve(hono, async (server) => {
      assert.equal((await ask(server)).text, "Hello from Hono\n");
      const answer = await ask(server, { target: "/hello/w%20d" });
      assert.deepEqual(JSON.parse(answer.text), { hello: "w d" });
      assert.equal((await ask(server, { target: "/whoami" })).text, "127.0.0.1\n");
      assert.equal((await ask(server, { target: "/echo", body: "grüße" })).text, "grüße");
      assert.equal((await ask(server, { target: "/none" })).status, 404);
    }));
});

describe("upload", () => {
  const content = randomBytes(3_000_000);
  const parts = Array.from(
    { length: 30 },
    (_, i) => content.subarray(i * 100_000, (i + 1) * 100_000),
  );

  async function inFolder(body: (server: Server, folder: string) => Promise<void>): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), "upload-"));
    try {
      const errors: unknown[] = [];
      await serve(uploads(folder), (server) => body(server, folder), {
        onError: (error) => void errors.push(error),
      });
      assert.deepEqual(errors, []);
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  for (const [how, body] of Object.entries({ whole: content, "in chunks": parts })) {
    test(`${how}, the file has what was sent`, () =>
      inFolder(async (server, folder) => {
        const answer = await ask(server, { method: "PUT", target: "/files", body });
        const { name, bytes, sha256 } = JSON.parse(answer.text);
        assert.deepEqual([answer.status, bytes], [201, content.length]);
        assert.equal(sha256, createHash("sha256").update(content).digest("hex"));
        assert.ok((await readFile(join(folder, name))).equals(content));
      }));
  }

  test("an empty one makes an empty file", () =>
    inFolder(async (server, folder) => {
      await ask(server, { method: "POST", target: "/files" });
      const [name] = await readdir(folder);
      assert.equal((await readFile(join(folder, name))).length, 0);
    }));

  test("one that breaks off leaves nothing", () =>
    inFolder(async (server, folder) => {
      const connection = await open(server);
      connection.write("PUT /files HTTP/1.1\r\nHost: h\r\nContent-Length: 9000000\r\n\r\n");
      connection.write(content);
      await until(() => server.metrics().bytes_received >= content.length, "all of it");
      connection.close();
      await until(() => server.pendingRequests === 0, "the request is over");
      let files = await readdir(folder);
      while (files.length > 0) {
        await new Promise((resolve) => setTimeout(resolve));
        files = await readdir(folder);
      }
    }));
});

test("static: assets are cached for long, pages are not, other paths get the error page", async () => {
  const folder = await mkdtemp(join(tmpdir(), "static-"));
  await mkdir(join(folder, "assets"));
  await writeFile(join(folder, "assets/app.1f3c.js"), "run();\n");
  await writeFile(join(folder, "assets/app.1f3c.js.br"), "shorter");
  await writeFile(join(folder, "index.html"), "<p>Hello\n");
  try {
    await serve(site(folder), async (server) => {
      const page = await ask(server);
      assert.deepEqual([page.get("cache-control"), page.text], [undefined, "<p>Hello\n"]);
      const headers = { range: "bytes=0-2", "accept-encoding": "br" };
      const asset = await ask(server, { target: "/assets/app.1f3c.js", headers });
      assert.deepEqual([asset.status, asset.get("content-encoding"), asset.text], [
        206,
        "br",
        "sho",
      ]);
      assert.equal(asset.get("cache-control"), "max-age=31536000, immutable");
      const none = await ask(server, { target: "/a/page/of/the/app" });
      assert.deepEqual([none.status, none.get("content-type")], [404, "text/html"]);
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("metrics: a second server reports the first one's counters and health", () =>
  serve(() => "Hello\n", async (server) => {
    let isReady = true;
    const watcher = watch(server, () => isReady, 0);
    await ask(server);
    const page = await ask(watcher, { target: "/metrics" });
    assert.match(page.text, /^bjoern_req_success_read_total\{app="hello"\} 1$/m);
    assert.equal((await ask(watcher, { target: "/healthz" })).text, "ok\n");
    assert.equal((await ask(watcher, { target: "/readyz" })).status, 204);
    isReady = false;
    assert.equal((await ask(watcher, { target: "/readyz" })).status, 503);
    await watcher.shutdown();
  }));

test("hello: says hello, on a free port", async () => {
  const text = await readFile(new URL("../examples/hello.ts", import.meta.url), "utf8");
  await using child = runText(text.replace("../mod.ts", MOD).replace("8000", "0"));
  const [, url] = /^Listening on (.+)$/.exec(await child.line()) ?? [];
  assert.equal(await (await fetch(url)).text(), "Hello, World!\n");
});

test("workers: several processes answer, and end with their supervisor", async () => {
  await using child = runFileIn({ PORT: "0" }, "../../examples/workers.ts");
  const [, supervisor, url] = /^Process (\d+) .* on (.+)$/.exec(await child.line()) ?? [];
  const answer = await (await fetch(url)).text();
  const [, pid] = /^Hello from worker \d+, process (\d+)\n$/.exec(answer) ?? [];
  assert.ok(Number(pid) > 0 && pid !== supervisor);
  child.signal("SIGTERM");
  assert.equal((await child.ended()).status, 0);
});
