// Attacks by slow clients: slowhttptest's, and one that needs no tool.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { TIMEOUT } from "./limits.ts";

/** Seconds of an attack whose connections are never cut. */
const SECONDS = 12;
/** Milliseconds for which a server waits for the client to close after its own last answer. */
const LINGER = 2000;

/** An attack. */
export interface Attack {
  name: string;
  /** The longest that any of its connections may last, in milliseconds. */
  most: number;
  /** Resolves when all of its connections are closed or its time is over. */
  begin: (port: number) => Promise<void>;
}

/** The number of connections, and how many are opened per second. */
interface Crowd {
  count: number;
  rate: number;
}

type Begin = Attack["begin"];

/** An attack by slowhttptest with the options in `how`. */
function tool(how: string, target: string, { count, rate }: Crowd): Begin {
  return async (port) => {
    const url = `http://127.0.0.1:${port}${target}`;
    const args = `${how} -c ${count} -r ${rate} -l ${SECONDS} -v 0 -u ${url}`.split(" ");
    const child = spawn("slowhttptest", args, { stdio: "ignore" });
    const end = () => child.kill("SIGKILL");
    process.on("exit", end);
    const [status] = await once(child, "exit");
    process.off("exit", end);
    if (status !== 0) {
      throw new Error(`slowhttptest ${args.join(" ")} has ended by ${status}`);
    }
  };
}

/** Connections that send nothing. */
const wait = ({ count, rate }: Crowd): Begin => async (port) => {
  const sockets = Array.from({ length: count }, async (_, i) => {
    await sleep(i * 1000 / rate);
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("error", () => {}).resume();
    const timer = setTimeout(() => socket.destroy(), SECONDS * 1000);
    await once(socket, "close");
    clearTimeout(timer);
  });
  await Promise.all(sockets);
};

const many: Crowd = { count: 300, rate: 150 };
/** Fewer, as the kernel copies megabytes for each: that is load, not slowness. */
const fewer: Crowd = { count: 150, rate: 50 };

export const attacks: Attack[] = [
  {
    name: "slow headers",
    most: TIMEOUT + LINGER,
    begin: tool("-H -i 1 -x 20", "/", many),
  },
  {
    name: "slow body",
    most: 2 * TIMEOUT + LINGER,
    begin: tool("-B -i 1 -x 20 -s 4096", "/", many),
  },
  {
    name: "slow large body",
    most: 2 * TIMEOUT + LINGER,
    begin: tool("-B -i 1 -x 20 -s 1000000", "/", many),
  },
  {
    name: "slow read",
    most: 2 * TIMEOUT,
    begin: tool("-X -w 10 -y 512 -z 5 -n 1", "/large", fewer),
  },
  { name: "connect and wait", most: TIMEOUT, begin: wait(many) },
];
