// Checks a contestant's answers: a wrong one must not win by being fast.
import { Buffer } from "node:buffer";
import { connect } from "node:net";
import { type Answer, type Exchange, octets } from "./exchange.ts";

const PATIENCE = 5_000;

/** Sends one request, then as many pipelined as the case does. Throws if an answer is wrong. */
export async function check(port: number, exchange: Exchange, pipelined: number): Promise<void> {
  await checkOne(port, exchange);
  if (pipelined > 1) {
    await checkPipelined(port, exchange, pipelined);
  }
}

async function checkOne(port: number, { method, path, fields, body, answer }: Exchange) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: fields,
    body: body && new Uint8Array(body),
    keepalive: false,
    signal: AbortSignal.timeout(PATIENCE),
  });
  const type = response.headers.get("content-type")?.split(";")[0] ?? "none";
  if (response.status !== 200 || type !== answer.type) {
    throw new Error(`Wrong answer: status ${response.status}, content type ${type}`);
  }
  const expected = Buffer.from(answer.body as Uint8Array);
  const got = Buffer.from(await response.arrayBuffer());
  if (!got.equals(expected)) {
    throw new Error(`Wrong answer: ${got.length} octets, "${got.toString("latin1", 0, 80)}"`);
  }
}

/** How often `part` is in `whole`. */
function occurrences(whole: Buffer, part: string | Uint8Array): number {
  let count = 0;
  for (let at = whole.indexOf(part); at >= 0; at = whole.indexOf(part, at + part.length)) {
    count++;
  }
  return count;
}

function isComplete(received: Buffer, { body }: Answer, count: number): boolean {
  return occurrences(received, "HTTP/1.1 200 ") === count && occurrences(received, body) === count;
}

function checkPipelined(port: number, exchange: Exchange, count: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const socket = connect(port, "127.0.0.1", () => socket.write(octets(exchange, count)));
    const end = (settle: () => void) => {
      clearTimeout(timer);
      socket.destroy();
      settle();
    };
    const fail = (how: string) => {
      const answers = occurrences(received, "HTTP/1.1 200 ");
      end(() =>
        reject(new Error(`Of ${count} pipelined requests ${answers} answered, then ${how}`))
      );
    };
    const timer = setTimeout(() => fail("nothing"), PATIENCE);
    socket.on("data", (data: Buffer) => {
      received = Buffer.concat([received, data]);
      if (isComplete(received, exchange.answer, count)) {
        end(resolve);
      }
    });
    socket.on("error", ({ message }) => fail(message));
    socket.on("close", () => fail("closed"));
  });
}
