// The server under attack. It prints its port, then what it holds for each line it reads.
import { createInterface } from "node:readline";
import process from "node:process";
import { run } from "../../mod.ts";
import { LARGE, TIMEOUT } from "./limits.ts";

const large = new Uint8Array(LARGE).fill(120);

const server = run(
  async (request) => {
    const { pathname } = new URL(request.url);
    return pathname === "/large" ? large : await request.bytes();
  },
  {
    port: 0,
    headTimeout: TIMEOUT,
    bodyTimeout: TIMEOUT,
    writeTimeout: TIMEOUT,
    minWriteRate: 10_000, // so high that what the client's kernel accepts hardly extends the deadline
    keepAliveTimeout: TIMEOUT,
    onError: () => {},
  },
);
console.log(server.port);

createInterface(process.stdin).on("line", () => {
  const { connections_open, requests_in_flight } = server.metrics();
  console.log(JSON.stringify({ connections: connections_open, requests: requests_in_flight }));
}).on("close", () => server.stop());
