// Real servers whose system calls fail on their way into the kernel: `bun tests/faults/injected.ts
// deno`. strace makes them fail while clients do all that they do in a soak. A call that is
// interrupted, short of room or too early changes no answer; one that breaks costs only the clients
// concerned, and nothing is left behind.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { Crowd } from "../soak/clients.ts";
import { exitOnSignals, runtimes, Served, SOAKED } from "../soak/process.ts";
import type { Sample } from "../soak/served.ts";

exitOnSignals();

const CLIENTS = 6;
const PAUSE = 20;
const WHILE = 1000; // milliseconds of faults

interface Row {
  call: string;
  errors: string[];
  /** Which calls fail: strace's `when`. */
  when: string;
  /** Whether clients may notice. */
  breaks?: boolean;
}

// Only errors that the kernel may return there: a library also wakes itself with send(2), where
// EAGAIN would mean that it is awake. shim.h can tell them apart, and makes each call fail in each
// way.
const rows: Row[] = [
  { call: "accept4", errors: ["EMFILE", "ENOMEM", "EINTR"], when: "2+3" },
  { call: "recvfrom", errors: ["EINTR"], when: "2+3" },
  { call: "sendto", errors: ["EINTR"], when: "2+3" },
  { call: "sendmsg", errors: ["EINTR"], when: "2+3" },
  { call: "sendfile", errors: ["EINTR", "EAGAIN"], when: "1+2" },
  { call: "sendfile", errors: ["EIO", "ECONNRESET"], when: "1..4", breaks: true },
];

let failed = 0;

function tell(facts: string[], name: string): void {
  console.log(`${facts.length === 0 ? "ok" : "not ok"} - ${name}`);
  facts.slice(0, 5).forEach((fact) => console.log(`  ${fact}`));
  failed += facts.length > 0 ? 1 : 0;
}

async function visit(crowd: Crowd, milliseconds: number): Promise<Error[]> {
  crowd.begin(CLIENTS, PAUSE);
  await sleep(milliseconds);
  await crowd.rest();
  return crowd.failures.splice(0);
}

/** Describes what is wrong with a server under such a fault. */
async function play(served: Served<Sample>, breaks: boolean): Promise<string[]> {
  const crowd = new Crowd({ port: await served.port() });
  const before = await served.sample();
  const failures = await visit(crowd, WHILE);
  const later = breaks ? await visit(crowd, WHILE / 3) : failures;
  const { connections, requests, descriptors } = await served.quiet();
  return [
    ...later.map(({ message }) => message),
    ...breaks && failures.length === 0 ? ["no client has noticed"] : [],
    ...connections + requests > 0 ? [`${connections} connections, ${requests} requests stay`] : [],
    ...descriptors > before.descriptors + 2 ? [`${descriptors} descriptors are open`] : [],
    ...crowd.exchanges < 50 ? [`only ${crowd.exchanges} answers`] : [],
  ];
}

async function inject(runtime: string, folder: string, row: Row, error: string): Promise<void> {
  const { call, when, breaks = false } = row;
  const strace = "strace -f --seccomp-bpf -qqq -o /dev/null".split(" ");
  const how = ["-e", `trace=${call}`, "-e", `inject=${call}:error=${error}:when=${when}`];
  const served = new Served<Sample>([...strace, ...how, ...runtimes[runtime]], SOAKED, folder);
  const facts = await play(served, breaks).catch(({ message }) => [message]);
  const ended = await served.end() ? [] : ["the server did not end by itself"];
  const known = breaks ? "and only its client knows" : "and no client knows";
  tell([...facts, ...ended], `${call} fails with ${error}, ${known}`);
}

const runtime = process.argv[2];
const folder = mkdtempSync(join(tmpdir(), "bjoern-injected-"));
for (const row of rows) {
  for (const error of row.errors) {
    await inject(runtime, folder, row, error);
  }
}
rmSync(folder, { recursive: true });
process.exit(failed > 0 ? 1 : 0);
