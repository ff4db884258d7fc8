#!/usr/bin/env bun
/**
 * The command line: `bjoern [options] app [the app's own arguments]`.
 *
 * @example
 * ```sh
 * bunx @x/bjoern --port 8080 app.ts
 * deno run -A jsr:@x/bjoern/cli --uds /run/app.sock app.ts:api --verbose
 * bjoern init hello
 * ```
 *
 * @module
 */
import process from "node:process";
import { address, type Place, placeInEnvironment, placeOf } from "./contrib/cli/address.ts";
import { findApp, loadApp, setArguments } from "./contrib/cli/app.ts";
import { optionsHelp, parseArguments } from "./contrib/cli/arguments.ts";
import { readConfig } from "./contrib/cli/config.ts";
import { Failure } from "./contrib/cli/failure.ts";
import { init } from "./contrib/cli/init.ts";
import { labelOf, portOf, serverOptions, type Values } from "./contrib/cli/options.ts";
import { accessLog } from "./contrib/log.ts";
import { type Options, run, type Server, version } from "./mod.ts";
import { complain, say } from "./server/say.ts";
import type { Addr, App } from "./server/types.ts";
import { workerNumber, workerRun } from "./server/worker.ts";
import type { WorkerOptions } from "./server/workers/options.ts";
import { startWorkers } from "./server/workers/run.ts";

const USAGE = `Usage: bjoern [options] app [arguments of the app]
       bjoern init DIR

Serves app, a module whose default export (with \`module:name\`, the export
\`name\`) is a function (request, info), an object with a fetch method or a
framework's app. \`init\` writes an app, its configuration and systemd units to DIR.

${optionsHelp()}
Other:
      --config FILE               options as JSON with comments; strings may use \${NAME}
  -h, --help                      print this help
  -v, --version                   print the version

ADDR is a name, IPv4 or IPv6 address, optionally with a port ([::1]:80), unix:PATH,
unix:@NAME, fd:N, systemd or systemd:NAME. Without any address, the socket passed
by systemd is used, if there is one.

PEERS are comma-separated addresses and networks, loopback, linklocal or
uniquelocal, or off; for --trust-proxy also a number of hops.

Precedence: flags, the file, HOST and PORT, defaults. Arguments after the app are
the app's, and so are unknown options before it (as --name=value: a separate word
would be taken for the app), unless they look like a misspelt bjoern option.
After -- comes the app, whatever its name.

The first SIGINT or SIGTERM stops accepting and lets running requests finish, a
second one stops immediately. Exit status: 0 after a clean stop, 1 if the app or
the address cannot be used or a worker had to be killed, 2 if the arguments or
the configuration are wrong.
`;

/** Flags, file, environment: in this order. */
function settle(flags: Values, file: Values, fileName: string): [Values, Place] {
  const place = address([
    placeOf(flags, labelOf),
    placeOf(file, (key) => `${fileName}: ${key}`),
    placeInEnvironment((text) => portOf(text, "The environment's PORT")),
  ]);
  return [{ ...file, ...flags }, place];
}

/** Errors here are caused by the options or the address. */
function attempt<T>(start: () => T): T {
  try {
    return start();
  } catch (error) {
    const isWrong = error instanceof TypeError || error instanceof RangeError;
    throw new Failure(isWrong ? 2 : 1, (error as Error).message);
  }
}

/** Only the workers load the app, so that SIGHUP brings new code. */
async function serveWorkers(options: Options, workers: WorkerOptions): Promise<number> {
  const supervisor = attempt(() => startWorkers(options, workers));
  say(`Listening on ${supervisor.url}`);
  await supervisor.finished;
  return supervisor.status;
}

function start(app: App<Addr>, options: Options, maxRequests: number): Server<Addr> {
  return attempt(() =>
    workerNumber() === undefined
      ? run(app as App, { ...options, handleSignals: true }) as Server<Addr>
      : workerRun(app, options, maxRequests)
  );
}

/** Prints what is being waited for after a signal. */
function tellOfDrain(server: Server<Addr>): void {
  const tell = () => {
    const count = server.pendingRequests;
    if (count > 0) {
      const requests = count === 1 ? "a request" : `${count} requests`;
      complain(`bjoern: waiting for ${requests}; send another signal to stop now`);
    }
  };
  for (const name of ["SIGINT", "SIGTERM"]) {
    process.once(name, tell);
  }
  server.finished.then(() => {
    for (const name of ["SIGINT", "SIGTERM"]) {
      process.off(name, tell);
    }
  });
}

async function serve(specifier: string, rest: string[], values: Values, place: Place) {
  const { workers, maxRequests = 0, accessLog: format = "off" } = values;
  const found = findApp(specifier);
  const options = { ...serverOptions(values), ...place };
  const isWorker = workerNumber() !== undefined;
  const isAlone = workers === undefined && maxRequests === 0;
  if (!isAlone && !isWorker) {
    return await serveWorkers(options, { workers: workers ?? 1, maxRequests });
  }
  setArguments(found.module, rest);
  const app = await loadApp(found);
  const logged = format === "off" ? app : accessLog(app, { format });
  const server = start(logged, options, maxRequests);
  if (!isWorker) {
    say(`Listening on ${server.url}`);
    tellOfDrain(server);
  }
  await server.finished;
  return 0;
}

/**
 * Runs the command line and returns the exit status: 0 after a clean stop, 1 if the app or the
 * address cannot be used or a worker had to be killed, 2 if the arguments or the configuration are
 * wrong. Errors are printed, not thrown.
 *
 * @param args The arguments, without the runtime and the script.
 *
 * @example
 * ```ts
 * import { main } from "@x/bjoern/cli";
 *
 * process.exitCode = await main(["--version"]);
 * ```
 */
export async function main(args: string[]): Promise<number> {
  try {
    if (args[0] === "init") {
      return init(args.slice(1));
    }
    const { wants, app, rest, late = [], config, values } = parseArguments(args);
    if (wants !== undefined) {
      say(wants === "help" ? USAGE : version);
      return 0;
    }
    if (app === undefined) {
      throw new Failure(2, "no app given: see bjoern --help");
    }
    if (late.length > 0 && workerNumber() === undefined) {
      complain(`bjoern: ${late.join(", ")} after the app is passed to the app, not to bjoern`);
    }
    const file = config === undefined ? {} : await readConfig(config);
    return await serve(app, rest, ...settle(values, file, config ?? ""));
  } catch (error) {
    if (error instanceof Failure) {
      complain(`bjoern: ${error.message}`);
      return error.status;
    }
    complain("bjoern:", error);
    return 1;
  }
}

/**
 * How long the process may take to exit by itself, in ms: work left by the app must not keep it.
 */
const LEAVE = 500;

if (import.meta.main) {
  process.exitCode = await main(process.argv.slice(2));
  setTimeout(() => process.exit(), LEAVE).unref();
}
