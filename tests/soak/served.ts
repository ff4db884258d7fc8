// The server under test. It prints its port, then a sample for each line it reads, after a
// collection. With BJOERN_SOAK_LEAK it leaks that many octets per request, which a soak must
// detect. With BJOERN_SOAK_COLLECT it leaves garbage, and collects it in about one of that many
// requests.
import { Buffer } from "node:buffer";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { run, sendFile } from "../../mod.ts";
import { collect, Litterer } from "./garbage.ts";
import { pattern } from "./pattern.ts";

/** The state of a server. */
export interface Sample {
  /** Resident memory in octets, without pages of files. */
  memory: number;
  descriptors: number;
  connections: number;
  requests: number;
  /** Answers so far. */
  answers: number;
}

const [folder] = process.argv.slice(-1);
const file = `${folder}/file`;
writeFileSync(file, pattern("file", 1 << 20));

const PART = 20_000;
const leak = Number(process.env.BJOERN_SOAK_LEAK ?? 0);
const kept: Uint8Array[] = [];
const often = Number(process.env.BJOERN_SOAK_COLLECT ?? 0);
const litterer = often > 0 ? new Litterer(often) : undefined;

/** A stream of parts; `ends` says whether it completes or fails. */
function streamOf(octets: Uint8Array, part: number, ends = true): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    async pull(to) {
      await sleep(Math.random() * 3);
      if (at < octets.length) {
        to.enqueue(octets.subarray(at, at += part));
      } else {
        ends ? to.close() : to.error(new Error("half of it"));
      }
    },
  });
}

/** Serves `/kind/id/number/number`. */
async function app(request: Request): Promise<Response | Uint8Array | string> {
  const [, kind, id, ...numbers] = new URL(request.url).pathname.split("/");
  const [size = 0, length = 0] = numbers.map(Number);
  switch (kind) {
    case "late":
      await sleep(Math.random() * 30);
      return pattern(id, size);
    case "echo":
      return new Response(request.body);
    case "read":
      return new Uint8Array(await request.arrayBuffer());
    case "clone": {
      const copy = request.clone();
      const own = await request.bytes();
      const response = new Response(await copy.bytes());
      const second = response.clone();
      return Buffer.from(own).equals(await response.bytes()) ? second : "the clone differs";
    }
    case "ignore":
      return id;
    case "stream":
      return new Response(streamOf(pattern(id, size), PART));
    case "cut":
      return new Response(streamOf(pattern(id, size), PART, false));
    case "events": {
      const headers = { "Content-Type": "text/event-stream" };
      const event = `data: ${id}\n\n`;
      const events = new TextEncoder().encode(event.repeat(size));
      return new Response(streamOf(events, event.length), { headers });
    }
    case "file":
      return sendFile(file, { offset: size, length });
    case "fail":
      throw new Error(id);
    case "wait":
      await new Promise((resolve) => request.signal.addEventListener("abort", resolve));
      return "nobody hears this";
    default:
      return new Response("", { status: 404 });
  }
}

function handle(request: Request): ReturnType<typeof app> | Uint8Array | string {
  const { pathname } = new URL(request.url);
  const [, kind, id, size] = pathname.split("/");
  switch (kind) {
    case "text":
      return pattern(id, Number(size)).toString();
    case "octets":
      return pattern(id, Number(size));
    default:
      return app(request);
  }
}

const server = run(
  (request) => {
    if (leak > 0) {
      kept.push(new Uint8Array(leak).fill(1));
    }
    return litterer ? litterer.around(() => handle(request)) : handle(request);
  },
  {
    port: 0,
    headTimeout: 1000,
    keepAliveTimeout: 1000,
    maxBodySize: 1 << 20,
    onError: () => {},
  },
);
console.log(server.port);

async function collectAll(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    collect();
    await sleep(20);
  }
}

/** Without pages of files: the kernel drops and restores those as others need memory. */
function memory(): number {
  if (process.platform !== "linux") {
    return process.memoryUsage().rss;
  }
  const status = readFileSync("/proc/self/status", "utf8");
  return Array.from(status.matchAll(/^(?:RssAnon|VmSwap):\s*(\d+) kB/gm))
    .reduce((sum, [, kib]) => sum + 1024 * Number(kib), 0);
}

createInterface(process.stdin).on("line", async () => {
  await collectAll();
  const { connections_open, requests_in_flight, resp_done } = server.metrics();
  const sample: Sample = {
    memory: memory(),
    descriptors: readdirSync("/dev/fd").length,
    connections: connections_open,
    requests: requests_in_flight,
    answers: resp_done,
  };
  console.log(JSON.stringify(sample));
}).on("close", () => server.stop());
