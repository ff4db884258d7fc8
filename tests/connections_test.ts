// Connection limits: how many there are, and how many requests are in flight on each.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, type Connection, octets, open, serve, until, within } from "./support/client.ts";

const ASK = octets({}, "");

/** Gives the server other work, for long enough that anything still to come would have come. */
async function others(connection: Connection): Promise<void> {
  for (let i = 0; i < 20; i++) {
    assert.equal((await connection.write(ASK).answer()).text, "served");
  }
}

test("maxConnections: others wait in the backlog until some have left", async () => {
  await serve(() => "served", async (server) => {
    const [first, second] = await Promise.all([open(server), open(server)]);
    for (const connection of [first, second]) {
      assert.equal((await connection.write(ASK).answer()).text, "served");
    }
    const waiting = Array.from({ length: 5 }, () => ask(server));
    await others(second);
    assert.equal(server.metrics().connections_open, 2);
    assert.equal(server.metrics().conn_accept_success, 2);
    first.close();
    for (const { text } of await Promise.all(waiting)) {
      assert.equal(text, "served");
    }
    await others(second);
    second.close();
  }, { maxConnections: 2 });
});

test("maxPipelined: that many requests of a connection run at a time, the others wait", async () => {
  const gates: PromiseWithResolvers<string>[] = [];
  await serve((request: Request) => {
    if (request.method === "GET") {
      return "served";
    }
    const gate = Promise.withResolvers<string>();
    gates.push(gate);
    return gate.promise;
  }, async (server) => {
    const [greedy, other] = await Promise.all([open(server), open(server)]);
    for (let i = 0; i < 10; i++) {
      greedy.write(octets({ method: "POST", body: `${i}` }, ""));
    }
    for (let answered = 0; answered < 10; answered++) {
      const running = Math.min(10, answered + 3);
      await until(() => gates.length === running, `request ${running}`);
      await others(other);
      assert.equal(gates.length, running);
      gates[answered].resolve(`answer ${answered}`);
      assert.equal((await greedy.answer()).text, `answer ${answered}`);
    }
    greedy.close();
    other.close();
  }, { maxPipelined: 3 });
});

test("a client that never stops sending and never reads is no longer read", async () => {
  await serve(() => "x".repeat(1000), async (server) => {
    const greedy = await open(server), other = await open(server);
    greedy.socket.pause();
    const many = new Uint8Array(Array(1000).fill([...ASK]).flat());
    let calm = 0, before = -1;
    await until(() => {
      if (greedy.socket.writableLength < 1 << 20) {
        greedy.write(many);
      }
      const { bytes_received } = server.metrics();
      calm = bytes_received === before ? calm + 1 : 0;
      before = bytes_received;
      return calm === 20;
    }, "the server to stop reading");
    assert.equal((await other.write(ASK).answer()).body.length, 1000);
    greedy.close();
    await within(greedy.closed, "the end of the connection");
    other.close();
  });
});
