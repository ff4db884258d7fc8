/**
 * The command line: `bjoern [options] app [the app's own arguments]`.
 *
 * @example
 * ```sh
 * bunx @x/bjoern --port 8080 app.ts
 * deno run -A jsr:@x/bjoern/cli --uds /run/app.sock app.ts:api --verbose
 * ```
 *
 * @module
 */
import { resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { parseArgs, type ParseArgsConfig } from "node:util";
import { run, type Server, serverRun } from "./mod.ts";
import type { Addr, App, Options } from "./server/types.ts";
import manifest from "./deno.json" with { type: "json" };

const USAGE = `Usage: bjoern [options] app [arguments of the app]

Serves app, a module: its default export (or \`module:name\`, its export \`name\`)
is a function (request, info) or an object with a fetch method.

  -a, --host ADDR           host name or address (HOST, 127.0.0.1)
  -p, --port PORT           TCP port, 0 for any free one (PORT, 8000)
      --uds PATH            Unix socket, @name for an abstract one
      --fd N                inherited listening socket
      --reuse-port          share the port with other processes
      --backlog N           connections waiting to be accepted (1024)
      --max-body-size N     octets of a request's body (16777216)
      --max-connections N   open connections (0: no limit)
      --head-timeout MS     for a request's head (10000)
      --body-timeout MS     for the next part of a body (30000)
      --keep-alive-timeout MS  for the next request (5000, 0: no limit)
      --write-timeout MS    for the client to read on (30000)
      --drain-timeout MS    for running requests on SIGTERM, SIGINT (30000)
  -h, --help                this text
  -v, --version             the version

The first signal stops accepting and lets running requests finish; a second one
ends them.
`;

/** Options with a number as value, and the server option that each one sets. */
const NUMBERS: Record<string, keyof Options> = {
  "port": "port",
  "backlog": "listenBacklog",
  "max-body-size": "maxBodySize",
  "max-connections": "maxConnections",
  "head-timeout": "headTimeout",
  "body-timeout": "bodyTimeout",
  "keep-alive-timeout": "keepAliveTimeout",
  "write-timeout": "writeTimeout",
};

const FLAGS: NonNullable<ParseArgsConfig["options"]> = {
  "host": { type: "string", short: "a" },
  "uds": { type: "string" },
  "fd": { type: "string" },
  "reuse-port": { type: "boolean" },
  "drain-timeout": { type: "string" },
  "help": { type: "boolean", short: "h" },
  "version": { type: "boolean", short: "v" },
  ...Object.fromEntries(Object.keys(NUMBERS).map((name) => [name, { type: "string" }])),
  "port": { type: "string", short: "p" },
};

/** What the arguments say is wrong: printed without a stack. */
class UsageError extends Error {}

function wholeNumber(name: string, text: string): number {
  if (!/^\d+$/.test(text)) {
    throw new UsageError(`--${name} takes a whole number, not "${text}"`);
  }
  return Number(text);
}

type Values = Record<string, string | boolean | undefined>;

/** Our options stand before the app: what follows it is its own. */
function split(args: string[]): { own: string[]; app: string | undefined; rest: string[] } {
  for (let i = 0; i < args.length; i++) {
    if (!args[i].startsWith("-")) {
      return { own: args.slice(0, i), app: args[i], rest: args.slice(i + 1) };
    }
    const [name] = args[i].replace(/^--?/, "").split("=");
    const flag = Object.entries(FLAGS).find(([long, { short }]) => name === long || name === short);
    if (flag?.[1].type === "string" && !args[i].includes("=")) {
      i++;
    }
  }
  return { own: args, app: undefined, rest: [] };
}

function parse(own: string[]): Values {
  try {
    return parseArgs({ args: own, options: FLAGS }).values as Values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function optionsOf(values: Values): Options {
  const options: Record<string, unknown> = {
    host: values.host ?? process.env.HOST,
    reusePort: values["reuse-port"],
  };
  for (const [name, option] of Object.entries(NUMBERS)) {
    const text = values[name] ?? (name === "port" ? process.env.PORT : undefined);
    if (text !== undefined) {
      options[option] = wholeNumber(name, String(text));
    }
  }
  if (values.uds !== undefined) {
    options.host = `unix:${values.uds}`;
  }
  return options as Options;
}

/** `module` or `module:export`; a colon may be part of the module (`npm:`, `file:`). */
async function load(specifier: string): Promise<App<Addr>> {
  const [, module, name] = /^(.+):([A-Za-z_$][\w$]*)$/.exec(specifier) ??
    [null, specifier, "default"];
  const isUrl = /^[a-z][a-z0-9+.-]+:/i.test(module);
  const loaded = await import(isUrl ? module : pathToFileURL(resolve(module)).href);
  if (!(name in loaded)) {
    throw new UsageError(`${module} has no export "${name}"`);
  }
  return loaded[name];
}

/** The first signal drains, the second one forces. */
function stopOnSignals(server: Server<Addr>, timeout: number): void {
  let signals = 0;
  const onSignal = () => signals++ === 0 ? void server.shutdown({ timeout }) : server.stop();
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  server.finished.then(() => {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  });
}

async function serve(specifier: string, rest: string[], values: Values): Promise<number> {
  const options = optionsOf(values);
  const drain = wholeNumber("drain-timeout", String(values["drain-timeout"] ?? 30_000));
  process.argv.splice(1, Infinity, resolve(specifier), ...rest);
  const app = await load(specifier);
  const server = values.fd === undefined
    ? run(app, options)
    : serverRun(wholeNumber("fd", String(values.fd)), app as App, options);
  stopOnSignals(server as Server<Addr>, drain);
  console.log(`Listening on ${server.url}`);
  await server.finished;
  return 0;
}

/**
 * Runs the command line and returns the exit status: 0 after a drained stop, 1 when the app cannot
 * be served, 2 when the arguments are wrong.
 */
export async function main(args: string[]): Promise<number> {
  try {
    const { own, app, rest } = split(args);
    const values = parse(own);
    if (values.help || values.version) {
      console.log(values.help ? USAGE : manifest.version);
      return 0;
    }
    if (app === undefined) {
      throw new UsageError("no app given");
    }
    return await serve(app, rest, values);
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`bjoern: ${error.message}\n\n${USAGE}`);
      return 2;
    }
    console.error("bjoern:", error);
    return 1;
  }
}

if (import.meta.main) {
  process.exitCode = await main(process.argv.slice(2));
}
