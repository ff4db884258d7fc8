// Files as bodies: on the wire, wrapped, and changing while they are sent.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { FileError, type FileOptions, type Info, OpenFile, run, sendFile } from "../mod.ts";
import { MOD, runText } from "./support/child.ts";
import { type Answer, ask, octets, open, serve, until } from "./support/client.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "bjoern-file-")));
after(() => rmSync(folder, { recursive: true }));

function content(from: number, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (from + i) % 251);
}

/** A file whose octets show their position. */
function make(name: string, size: number): string {
  const path = join(folder, name);
  writeFileSync(path, content(0, size));
  return path;
}

const SMALL = make("small", 1000);
const LARGE = make("large", 5_000_000);

/** How many of the folder's files this process has open; 0 where that is unknown. */
function openFiles(): number {
  const all = process.platform === "linux" ? readdirSync("/proc/self/fd") : [];
  return all.filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder);
    } catch {
      return false; // closed in the meantime
    }
  }).length;
}

function expect(answer: Answer, from: number, size: number): void {
  assert.equal(answer.status, 200);
  assert.equal(answer.get("content-length"), String(size));
  assert.ok(answer.complete);
  assert.ok(answer.body.equals(content(from, size)), "the octets are those of the file");
}

describe("sendFile()", () => {
  const rows: [name: string, path: string, options: FileOptions, from: number, size: number][] = [
    ["a small file", SMALL, {}, 0, 1000],
    ["a large one", LARGE, {}, 0, 5_000_000],
    ["a part", SMALL, { offset: 10, length: 20 }, 10, 20],
    ["the rest", SMALL, { offset: 990 }, 990, 10],
    ["a large part", LARGE, { offset: 1_000_003, length: 3_000_000 }, 1_000_003, 3_000_000],
    ["no part of it", SMALL, { offset: 1000 }, 1000, 0],
    ["nothing at all", make("empty", 0), {}, 0, 0],
    ["one octet more than is copied", make("edge", 16385), {}, 0, 16385],
  ];
  for (const [name, path, options, from, size] of rows) {
    test(name, () =>
      serve(() => sendFile(path, options), async (server) => {
        expect(await ask(server), from, size);
        assert.equal(openFiles(), 0);
      }));
  }

  test("a URL, a type, fields and a status", () =>
    serve(() =>
      sendFile(pathToFileURL(SMALL), {
        contentType: "text/x-test",
        headers: { "x-test": "yes" },
        status: 203,
      }), async (server) => {
      const answer = await ask(server);
      assert.equal(answer.status, 203);
      assert.equal(answer.get("content-type"), "text/x-test");
      assert.equal(answer.get("x-test"), "yes");
    }));

  test("no default type", () =>
    serve(
      () => sendFile(SMALL),
      async (server) => assert.equal((await ask(server)).get("content-type"), undefined),
    ));

  test("a descriptor is sent from its position, and stays open there", async () => {
    const fd = openSync(SMALL, "r");
    try {
      readSync(fd, new Uint8Array(100));
      await serve(() => sendFile(fd), async (server) => {
        for (let i = 0; i < 2; i++) {
          expect(await ask(server), 100, 900);
        }
      });
      assert.equal(openFiles(), 1);
    } finally {
      closeSync(fd);
    }
  });

  test("HEAD has the length and no body", () =>
    serve(() => sendFile(LARGE), async (server) => {
      const connection = await open(server);
      connection.write(octets({ method: "HEAD" }, "")).write(octets({}));
      const answer = await connection.answer("HEAD");
      assert.equal(answer.get("content-length"), "5000000");
      assert.equal(answer.get("transfer-encoding"), undefined);
      expect(await connection.answer(), 0, 5_000_000);
      connection.close();
      assert.equal(openFiles(), 0);
    }));

  test("pipelined between other answers, and in HTTP/1.0", () =>
    serve(
      (request) => request.url.endsWith("/file") ? sendFile(LARGE) : "text",
      async (server) => {
        const connection = await open(server);
        for (const target of ["/", "/file", "/file", "/", "/file"]) {
          connection.write(octets({ target }, ""));
        }
        for (const isFile of [false, true, true, false, true]) {
          const answer = await connection.answer();
          isFile ? expect(answer, 0, 5_000_000) : assert.equal(answer.text, "text");
        }
        connection.write("GET /file HTTP/1.0\r\n\r\n");
        expect(await connection.answer(), 0, 5_000_000);
        await connection.closed;
      },
    ));

  test("an unknown option", () => {
    const message = "There is no option type: use contentType";
    assert.throws(() => sendFile(SMALL, { type: "a/b" } as object), { name: "TypeError", message });
    assert.equal(openFiles(), 0);
  });

  test("a path that is missing, not a file or too short", async () => {
    assert.throws(() => sendFile(join(folder, "none")), { name: "FileError", code: "ENOENT" });
    assert.throws(() => sendFile(folder), { name: "FileError", code: "EISDIR" });
    assert.throws(() => sendFile("/dev/null"), { name: "FileError", code: "EINVAL" });
    assert.throws(() => sendFile(join(SMALL, "x")), { name: "FileError", code: "ENOTDIR" });
    assert.throws(() => sendFile(999), { name: "FileError", code: "EBADF" });
    assert.throws(() => sendFile("a\0b"), TypeError);
    assert.throws(() => sendFile(1.5), { name: "TypeError", message: /descriptor.*1\.5/ });
    for (const options of [{ offset: 1001 }, { length: 1001 }, { offset: -1 }, { offset: 0.5 }]) {
      assert.throws(() => sendFile(SMALL, options), RangeError);
    }
    assert.equal(openFiles(), 0);
    await serve(() => "ok", async () => {});
    assert.ok(new FileError("a", "b", 2) instanceof Error);
  });
});

describe("a response with a file behaves like any other", () => {
  test("it can be read", async () => {
    const response = sendFile(LARGE, { offset: 7 });
    assert.ok(response instanceof Response);
    const bytes = new Uint8Array(await response.arrayBuffer());
    assert.deepEqual(bytes.subarray(0, 100), content(7, 100));
    assert.equal(bytes.length, 5_000_000 - 7);
    assert.equal(openFiles(), 0);
  });

  test("it can be cancelled", async () => {
    await sendFile(LARGE).body!.cancel();
    assert.equal(openFiles(), 0);
  });

  test("a response made of its body is sent as it is", () =>
    serve(() => {
      const { body, headers } = sendFile(LARGE, { contentType: "text/x-test" });
      return new Response(body, { headers, status: 200 });
    }, async (server) => {
      const answer = await ask(server);
      expect(answer, 0, 5_000_000);
      assert.equal(answer.get("content-type"), "text/x-test");
    }));

  test("so is one whose beginning was read", () =>
    serve(
      async () => {
        const reader = sendFile(SMALL).body!.getReader();
        const { value } = await reader.read();
        reader.releaseLock();
        return value!;
      },
      async (server) => assert.deepEqual((await ask(server)).body, Buffer.from(content(0, 1000))),
    ));

  test("a stream of a file that gets shorter fails", async () => {
    const path = make("stream", 200_000);
    const reader = sendFile(path).body!.getReader();
    await reader.read();
    truncateSync(path, 70_000);
    await assert.rejects(async () => {
      while (!(await reader.read()).done);
    }, { name: "FileError", code: "EIO" });
    assert.equal(openFiles(), 0);
  });
});

describe("files that change, clients that leave", () => {
  test("a file that gets shorter while it is sent closes the connection", () => {
    const path = make("shrinking", 8_000_000);
    return serve(() => sendFile(path), async (server) => {
      const connection = await open(server);
      connection.socket.pause();
      connection.write(octets({}, ""));
      await until(() => server.metrics().bytes_sent > 100_000, "the beginning");
      truncateSync(path, 0);
      connection.socket.resume();
      const answer = await connection.answer();
      assert.equal(answer.complete, false);
      await connection.closed;
      assert.equal(server.metrics().resp_aborted, 1);
      assert.equal(openFiles(), 0);
    });
  });

  test("the file is closed when the client leaves", () =>
    serve(() => sendFile(LARGE), async (server) => {
      const connection = await open(server);
      connection.socket.pause();
      connection.write(octets({}, ""));
      await until(() => openFiles() === 1, "the file");
      connection.close();
      await until(() => openFiles() === 0, "its end");
    }));

  test("and when the server stops", async () => {
    const server = run(() => sendFile(LARGE), { port: 0 });
    const connection = await open(server);
    connection.socket.pause();
    connection.write(octets({}, ""));
    await until(() => openFiles() === 1, "the file");
    server.stop();
    assert.equal(openFiles(), 0);
    connection.close();
  });

  test("and when the server stops before it gets the answer", async () => {
    const server = run(async (_request, info) => {
      await new Promise((resolve) => setImmediate(resolve));
      // Stops once the answer is made, but not yet handed over.
      const stop = () => info.sent.status === 0 ? queueMicrotask(stop) : server.stop();
      queueMicrotask(stop);
      return sendFile(LARGE);
    }, { port: 0 });
    const connection = await open(server);
    connection.write(octets({}, ""));
    await server.finished;
    assert.equal(openFiles(), 0);
    connection.close();
  });

  test("and when the head cannot be sent", async () => {
    const headers = { "x-large": "x".repeat(1_000_000) };
    await serve(() => sendFile(LARGE, { headers }), async (server) => {
      assert.equal((await ask(server)).status, 500);
      assert.equal(openFiles(), 0);
    }, { onError: () => {} });
  });

  for (const method of ["GET", "HEAD"]) {
    test(`one that is closed before it is sent is an error: ${method}`, async () => {
      const errors: unknown[] = [];
      const app = () => {
        using file = OpenFile.open(SMALL);
        return file.respond();
      };
      await serve(app, async (server) => {
        assert.equal((await ask(server, { method })).status, 500);
      }, { onError: (error) => void errors.push(error) });
      assert.deepEqual(errors.map((error) => (error as FileError).code), ["EBADF"]);
    });
  }

  test("one that has been sent is not sent again", async () => {
    const file = OpenFile.open(SMALL);
    const [first, second] = [file.respond(), file.respond()];
    const answers = [first, second];
    await serve(() => answers.shift()!, async (server) => {
      expect(await ask(server), 0, 1000);
      assert.equal((await ask(server)).status, 500);
    }, { onError: () => {} });
    assert.throws(() => file.respond(), { name: "FileError", code: "EBADF" });
  });

  test("completed settles with the last octet, and rejects when the client leaves", async () => {
    const ends: string[] = [];
    await serve((_: Request, info: Info) => {
      info.completed.then(() => ends.push("sent"), (error) => ends.push(error.name));
      return sendFile(LARGE);
    }, async (server) => {
      expect(await ask(server), 0, 5_000_000);
      await until(() => ends.length === 1, "the first end");
      const connection = await open(server);
      connection.socket.pause();
      connection.write(octets({}, ""));
      await until(() => openFiles() === 1, "the file");
      connection.close();
      await until(() => ends.length === 2, "the second end");
    });
    assert.deepEqual(ends, ["sent", "AbortError"]);
  });

  test("shutdown lets a file finish", () =>
    serve(() => sendFile(LARGE), async (server) => {
      const connection = await open(server);
      connection.socket.pause();
      connection.write(octets({}, ""));
      await until(() => server.metrics().bytes_sent > 100_000, "the beginning");
      const shutdown = server.shutdown();
      connection.socket.resume();
      expect(await connection.answer(), 0, 5_000_000);
      await shutdown;
    }));
});

describe("OpenFile", () => {
  test("describes the opened file, not what is now at its path", () => {
    const link = join(folder, "link");
    symlinkSync(SMALL, link);
    using file = OpenFile.open(link);
    rmSync(link);
    symlinkSync(LARGE, link);
    assert.equal(file.size, 1000);
    assert.equal(file.realPath, SMALL);
    assert.equal(Math.floor(file.mtime), Math.floor(statSync(SMALL).mtimeMs));
    assert.deepEqual(file.read(990, 100), content(990, 10));
  });

  test("is closed once", () => {
    const file = OpenFile.open(SMALL);
    file.close();
    file.close();
    assert.equal(openFiles(), 0);
    assert.throws(() => file.read(0, 1), { name: "FileError", code: "EBADF" });
  });

  test("reads from integer offsets", () => {
    using file = OpenFile.open(SMALL);
    for (const [offset, length] of [[1.5, 4], [-1, 4], [0, -1], [0, 0.5], [NaN, 1]]) {
      assert.throws(() => file.read(offset, length), RangeError);
    }
  });
});

test("info.sent counts the file", async () => {
  const sent: unknown[] = [];
  await serve((_: Request, info: Info) => {
    info.completed.then(() => sent.push(info.sent));
    return sendFile(LARGE);
  }, async (server) => {
    await ask(server);
    await until(() => sent.length === 1, "the end");
  });
  assert.deepEqual(sent, [{ status: 200, bytes: 5_000_000 }]);
});

if (!process.versions.bun) {
  test("a file is read only within Deno's --allow-read, even through a link", async () => {
    const outside = realpathSync(mkdtempSync(join(tmpdir(), "bjoern-outside-")));
    writeFileSync(join(outside, "secret"), "secret");
    symlinkSync(join(outside, "secret"), join(folder, "way-out"));
    const program = `
      import { OpenFile } from "${MOD}";
      for (const path of ${
      JSON.stringify([SMALL, join(outside, "secret"), join(folder, "way-out")])
    }) {
        try {
          OpenFile.open(path).close();
          console.log("opened");
        } catch (error) {
          console.log(error.name);
        }
      }`;
    await using child = runText(program, {}, ["--allow-ffi", `--allow-read=${folder}`]);
    for (const expected of ["opened", "NotCapable", "NotCapable"]) {
      assert.equal(await child.line(), expected);
    }
    const site = `
      import { serveStatic } from "${new URL("./contrib/static.ts", MOD).href}";
      const handler = serveStatic(${JSON.stringify(folder)});
      console.log((await handler(new Request("http://a/way-out"))).status);`;
    const permissions = ["--allow-ffi", `--allow-read=${folder}`, "--no-prompt"];
    await using served = runText(site, {}, permissions);
    assert.equal(await served.line(), "404");
    rmSync(outside, { recursive: true });
  });
}
