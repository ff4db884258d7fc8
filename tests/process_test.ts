// How a server affects its process: each of these tests needs a process of its own.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ask, open, within } from "./support/client.ts";
import { type Child, type Exit, MOD, runFile, runText } from "./support/child.ts";

const SERVER = `
  import process from "node:process";
  import { run } from "${MOD}";
`;

/** The port that a program has printed. */
async function portOf(child: Child): Promise<number> {
  const port = Number(await child.line());
  assert.ok(port > 0);
  return port;
}

function assertEnd(exit: Exit, status: number): void {
  assert.deepEqual([exit.status, exit.signal], [status, null], exit.out + exit.err);
}

for (const end of ["await server.shutdown()", "server.stop()", "await server.finished"]) {
  test(`a process ends by itself with status 0 after ${end}`, async () => {
    await using child = runText(`${SERVER}
      const server = run((request) => {
        if (request.url.endsWith("/end")) setTimeout(() => server.shutdown());
        return "served";
      }, "127.0.0.1", 0);
      console.log(server.port);
      await fetch(server.url).then((response) => response.text());
      if (${end.includes("finished")}) fetch(server.url + "end");
      ${end};
      console.log("over");
    `);
    await portOf(child);
    assert.equal(await child.line(), "over");
    const exit = await child.ended();
    assertEnd(exit, 0);
    assert.equal(exit.err, "");
  });
}

test("a process that never used its server ends after it stops", async () => {
  await using child = runText(`${SERVER}
    for (let i = 0; i < 20; i++) run(() => "", "127.0.0.1", 0).stop();
  `);
  assertEnd(await child.ended(), 0);
});

test("an import alone does not keep a process", async () => {
  await using child = runText(SERVER);
  assertEnd(await child.ended(), 0);
});

test("a server keeps its process until it is unref'd", async () => {
  await using kept = runText(`${SERVER}
    const server = run(() => "kept", "127.0.0.1", 0);
    server.unref();
    server.ref();
    console.log(server.port);
  `);
  const port = await portOf(kept);
  assert.equal((await ask({ port })).text, "kept");
  await using free = runText(`${SERVER}
    const server = run(() => "free", "127.0.0.1", 0);
    server.unref();
    console.log(server.port);
    await fetch(server.url).then((response) => response.text());
  `);
  await portOf(free);
  assertEnd(await free.ended(), 0);
  assert.equal((await ask({ port })).text, "kept");
});

test("unref() and ref() before run() take effect", async () => {
  await using child = runText(`
    import { listen, run } from "${MOD}";
    listen(() => "free", "127.0.0.1", 0).unref();
    run();
  `);
  assertEnd(await child.ended(), 0);
  await using kept = runText(`
    import { listen, run } from "${MOD}";
    const server = listen(() => "kept", "127.0.0.1", 0);
    server.unref();
    server.ref();
    run();
    console.log(server.port);
  `);
  assert.equal((await ask({ port: await portOf(kept) })).text, "kept");
});

test("a server is unref'd and ref'd while it waits, and serves on", async () => {
  await using child = runText(`${SERVER}
    const server = run((request, info) => {
      const action = new URL(request.url).pathname.slice(1);
      info.completed.then(() => setTimeout(() => server[action]?.(), 10));
      return action;
    }, "127.0.0.1", 0);
    console.log(server.port);
    const kept = setInterval(() => {}, 60_000);
    server.letGo = () => { clearInterval(kept); console.log("free"); };
  `);
  const port = await portOf(child);
  const idle = await open({ port });
  for (const action of ["unref", "ref", "unref", "serve", "letGo"]) {
    assert.equal((await ask({ port }, { target: `/${action}` })).text, action);
  }
  assert.equal(await child.line(), "free");
  assertEnd(await child.ended(), 0);
  await within(idle.closed, "the connection to be closed");
  idle.close();
});

test("an uncaught error while serving ends the process as usual for the runtime", async () => {
  await using child = runText(`${SERVER}
    const server = run((request) => {
      if (request.url.endsWith("/end")) setTimeout(() => { throw new Error("uncaught"); });
      return "served";
    }, "127.0.0.1", 0);
    console.log(server.port);
  `);
  const port = await portOf(child);
  const idle = await open({ port });
  assert.equal((await ask({ port }, { target: "/end" })).text, "served");
  const exit = await child.ended();
  assertEnd(exit, 1);
  assert.match(exit.err, /uncaught/);
  await within(idle.closed, "the connection to be closed");
  idle.close();
});

test("a logger that throws affects nothing but its line", async () => {
  await using child = runText(`${SERVER}
    console.error = () => { throw new Error("no log"); };
    const server = run((request) => {
      if (request.url.endsWith("/bad")) throw new Error("bad");
      return "fine";
    }, "127.0.0.1", 0);
    console.log(server.port);
  `);
  const port = await portOf(child);
  const connection = await open({ port });
  connection.write("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /bad HTTP/1.1\r\nHost: a\r\n\r\n");
  const other = ask({ port });
  await within(connection.closed, "the connection to be closed");
  connection.close();
  assert.equal((await other).text, "fine");
  assert.equal((await ask({ port }, { target: "/bad" })).status, 500);
  assert.equal((await ask({ port })).text, "fine");
});

/** Handlers that end their process, `later` in a timer. */
const exits: Record<string, string> = {
  "a handler": "() => process.exit(7)",
  "a handler that has waited": "async () => { await undefined; process.exit(7); }",
  "a timer": "() => { later(0); return 'x'; }",
  "a timer, parked": "() => { later(50); return 'x'; }",
  "a timer, while a handler waits": "() => { later(5); return new Promise(() => {}); }",
  "an answer's stream": "() => new Response(new ReadableStream({ pull: () => process.exit(7) }))",
  "an answer's stream, later": `() => {
    let parts = 0;
    return new Response(new ReadableStream({
      pull: (to) => ++parts < 50 ? to.enqueue(new Uint8Array(65536)) : process.exit(7),
    }));
  }`,
  "a timer, while octets are sent": "() => { later(5); return new Uint8Array(1 << 27); }",
  "a timer, while a text is sent": "() => { later(5); return 'x'.repeat(1 << 27); }",
  "a loop over a body": `async (request) => {
    let size = 0;
    for await (const part of request.body) if ((size += part.length) > 1e6) process.exit(7);
  }`,
  "a timer, while a body is read": "(request) => { later(20); return request.text(); }",
  "a body that is sent back": `(request) => {
    later(20);
    return new Response(request.body);
  }`,
};
for (const [where, handler] of Object.entries(exits)) {
  test(`process.exit in ${where} ends the process with its status`, async () => {
    await using child = runText(`${SERVER}
      const later = (time) => void setTimeout(() => process.exit(7), time);
      const server = run(${handler}, { port: 0, spin: 0 });
      console.log(server.port);
    `);
    const port = await portOf(child);
    const connection = await open({ port });
    const others = await Promise.all([open({ port }), open({ port })]);
    connection.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${1 << 24}\r\n\r\n`);
    connection.write(new Uint8Array(1 << 23));
    const { status, signal, err } = await child.ended();
    assert.deepEqual([status, signal, err], [7, null, ""]);
    for (const { closed } of [connection, ...others]) {
      await within(closed, "the connection to be closed");
    }
    [connection, ...others].forEach((one) => one.close());
  });
}

test("a second process cannot take the port, and the error names it", async () => {
  await using first = runText(`${SERVER}
    console.log(run(() => "first", "127.0.0.1", 0).port);
  `);
  const port = await portOf(first);
  await using second = runText(`${SERVER}
    try {
      run(() => "second", "127.0.0.1", ${port});
    } catch (error) {
      console.log(error.name, error.code, error.message);
    }
  `);
  assert.match(
    await second.line(),
    new RegExp(`^ListenError EADDRINUSE .*127\\.0\\.0\\.1:${port}`),
  );
  assertEnd(await second.ended(), 0);
});

const HERE = fileURLToPath(import.meta.url);
const libraries: [name: string, path: string][] = [
  ["that is not there", "/no/such/folder/libbjoern.so"],
  ["that is not a library", HERE],
  [
    "of something else",
    ["/lib/x86_64-linux-gnu/libm.so.6", "/lib/aarch64-linux-gnu/libm.so.6"].find(existsSync) ??
      HERE,
  ],
];
for (const [name, path] of libraries) {
  test(`a library ${name} is a LibraryError that names the file`, async () => {
    await using child = runText(
      `${SERVER}
      try {
        run(() => "", "127.0.0.1", 0);
      } catch (error) {
        console.log(error.name, JSON.stringify(error.message));
      }
    `,
      { BJOERN_LIBRARY: path },
    );
    const line = await child.line();
    assert.match(line, /^LibraryError /);
    assert.ok(line.includes(path), line);
    assert.ok(line.includes("BJOERN_LIBRARY"), line);
    assertEnd(await child.ended(), 0);
  });
}

test("reading a request creates no native Request, copying it does", async () => {
  await using child = runText(`
    let built = 0;
    globalThis.Request = class extends Request {
      constructor(...given) {
        super(...given);
        built++;
      }
    };
    const { run } = await import("${MOD}");
    built = 0;
    const server = run(async (request, info) => {
      const { method, url, headers, signal, bodyUsed } = request;
      const text = await request.text();
      info.remoteAddr, info.rawTarget, info.requestIP(request);
      return JSON.stringify([method, headers.get("x-a"), bodyUsed, signal.aborted, text, built]);
    }, "127.0.0.1", 0);
    const cloning = run((request) => {
      request.clone();
      return String(built);
    }, "127.0.0.1", 0);
    console.log(server.port);
    console.log(cloning.port);
  `);
  const answer = await ask({ port: await portOf(child) }, { headers: { "X-A": "1" }, body: "x" });
  assert.deepEqual(JSON.parse(answer.text), ["POST", "1", false, false, "x", 0]);
  assert.equal((await ask({ port: await portOf(child) })).text, "1");
});

test("several Workers serve at once, each on its own port", async () => {
  await using child = runFile("worker_host.ts", "together");
  const ports = [await portOf(child), await portOf(child), await portOf(child)];
  const answers = ports.flatMap((port) =>
    [1, 2, 3].map(() => ask({ port }, { target: "/now/hello" }))
  );
  for (const { text } of await Promise.all(answers)) {
    assert.equal(text, "hello 1");
  }
});
