/**
 * `bjoern init DIR`: a working app with its configuration and systemd units.
 *
 * @module
 */
import { lstatSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import process from "node:process";
import { native } from "../../ffi/native.ts";
import { version } from "../../server/features.ts";
import { Failure } from "./failure.ts";
import { defaultOf, GROUPS, type Option } from "./options.ts";
import { service, socket } from "./units.ts";

/** How to start the app. */
const START = native.name === "bun" ? "bun install && bun start" : "deno task start";

const APP = `// Run it with ${START}.

/** Greets on /, otherwise 404. */
export default (request: Request): Response => {
  const { pathname } = new URL(request.url);
  return pathname === "/"
    ? new Response("Hello, World!\\n")
    : new Response("Not found\\n", { status: 404 });
};
`;

const SERVED = "--config bjoern.jsonc app.ts";

const UNITS: Record<string, string> = {
  BYTES: "bytes: ",
  "BYTES/S": "bytes a second ",
  MS: "milliseconds ",
  US: "microseconds ",
};

function configLine(option: Option): string {
  const { key, value, text, example } = option;
  const shown = JSON.stringify(defaultOf(option) ?? example);
  return `  // "${key}": ${shown}, // ${UNITS[value] ?? ""}${text}${
    example ? " (an example)" : ""
  }`;
}

/** All options, commented out, with their defaults or an example. */
function configText(): string {
  const groups = Object.entries(GROUPS).map(([heading, options]) =>
    `  // ${heading}.\n${options.map(configLine).join("\n")}\n`
  );
  return `// Options of bjoern and their defaults. The command line takes precedence over this file.
// \${NAME} in a string is an environment variable; \${NAME:-text} has a default.
{
${groups.join("\n")}}
`;
}

function packageText(name: string): string {
  const scope = native.name === "bun"
    ? {
      name: name.toLowerCase(),
      private: true,
      type: "module",
      scripts: { start: `bjoern ${SERVED}` },
      dependencies: { "@x/bjoern": `^${version}` },
    }
    : {
      tasks: { start: `deno run -A jsr:@x/bjoern@^${version}/cli ${SERVED}` },
      imports: { "@x/bjoern": `jsr:@x/bjoern@^${version}` },
    };
  return `${JSON.stringify(scope, null, 2)}\n`;
}

/** File names and contents. */
function files(name: string, directory: string): [name: string, text: string][] {
  const commands = {
    bun: `node_modules/@x/bjoern/dist/cli.js ${SERVED}`,
    deno: `run -A jsr:@x/bjoern@^${version}/cli ${SERVED}`,
  };
  return [
    ["app.ts", APP],
    ["bjoern.jsonc", configText()],
    [`${name}.service`, service(name, directory, native.name, process.execPath, commands)],
    [`${name}.socket`, socket(name)],
    [native.name === "bun" ? "package.json" : "deno.json", packageText(name)],
  ];
}

function write(directory: string, all: [name: string, text: string][]): void {
  const exists = (path: string) => lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  const paths = all.map(([file, text]) => [join(directory, file), text]);
  const taken = paths.map(([path]) => path).filter(exists);
  if (taken.length > 0) {
    throw new Failure(1, `${taken.join(", ")}: exists already; nothing was written`);
  }
  mkdirSync(directory, { recursive: true });
  for (const [path, text] of paths) {
    writeFileSync(path, text, { flag: "wx" });
    console.log(path);
  }
}

/** Writes the files, or none if one exists already, and returns the exit status. */
export function init(args: string[]): number {
  if (args.length !== 1 || args[0].startsWith("-")) {
    throw new Failure(2, "init takes one directory: bjoern init DIR");
  }
  const directory = resolve(args[0]);
  const name = basename(directory);
  if (!/^[a-z0-9][\w.-]*$/i.test(name)) {
    throw new Failure(2, `"${name}" cannot name a systemd unit: letters, digits, "_", "." and "-"`);
  }
  try {
    write(args[0], files(name, directory));
  } catch (error) {
    if (error instanceof Failure) {
      throw error;
    }
    throw new Failure(1, `Cannot write to ${args[0]}: ${(error as Error).message}`);
  }
  console.log(`Next: cd ${args[0]} && ${START}`);
  return 0;
}
