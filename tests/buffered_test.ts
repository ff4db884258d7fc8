// maxBufferedSize limits the memory for buffered data of all connections together.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Info, RequestError } from "../mod.ts";
import { ask, open, serve, until, within } from "./support/client.ts";

const PAGE = "x".repeat(80_000);
const ANSWERS = 250;
const GREEDY = "GET /page HTTP/1.1\r\nHost: a\r\n\r\n".repeat(ANSWERS);

test("a client that reads none of many answers is cut, others do not notice", async () => {
  const ends: Promise<unknown>[] = [];
  await serve((request: Request, { completed }: Info) => {
    if (!request.url.endsWith("/page")) {
      return "modest";
    }
    ends.push(completed.catch((reason) => reason));
    return PAGE;
  }, async (server) => {
    const modest = await open(server), greedy = await open(server);
    modest.write("GET / HTTP/1.1\r\nHost: a\r\n");
    greedy.socket.pause();
    greedy.write(GREEDY);
    await until(() => server.metrics().conn_shed > 0, "the cut");
    greedy.socket.resume();
    await within(greedy.closed, "the end of the connection");
    assert.equal((await modest.write("\r\n").answer()).text, "modest");
    assert.equal((await ask(server)).text, "modest");
    const reason = (await within(Promise.all(ends), "completed")).at(-1);
    assert.ok(reason instanceof RequestError);
    assert.match(reason.message, /maxBufferedSize/);
    assert.equal(server.metrics().conn_shed, 1);
    assert.ok(server.metrics().bytes_buffered < 1 << 20);
    greedy.close();
    modest.close();
    await until(() => server.metrics().bytes_buffered === 0, "nothing that waits");
  }, { maxBufferedSize: 4 << 20, maxPipelined: ANSWERS });
});

test("without a limit no client is cut", async () => {
  await serve(() => PAGE, async (server) => {
    const patient = await open(server);
    patient.socket.pause();
    patient.write(GREEDY);
    await until(() => server.metrics().bytes_buffered > 8 << 20, "answers that wait");
    patient.socket.resume();
    for (let i = 0; i < ANSWERS; i++) {
      assert.equal((await patient.answer()).body.length, PAGE.length);
    }
    assert.equal(server.metrics().conn_shed, 0);
    patient.close();
  }, { maxBufferedSize: 0, maxPipelined: ANSWERS });
});
