/**
 * The arguments of the command line: which are ours, which is the app, which are the app's.
 *
 * @module
 */
import { parseArgs, type ParseArgsConfig } from "node:util";
import { Failure } from "./failure.ts";
import { near } from "./near.ts";
import {
  defaultOf,
  flagOf,
  GROUPS,
  type Option,
  OPTIONS,
  valueOf,
  type Values,
} from "./options.ts";

/** What the arguments say. */
export interface Arguments {
  /** Text to print and do no more. */
  wants?: "help" | "version";
  /** `specifier[:export]`. */
  app?: string;
  /** The app's own arguments. */
  rest: string[];
  /** Those of them that would be ours before the app. */
  late?: string[];
  /** A file with more options. */
  config?: string;
  /** The options. */
  values: Values;
}

const HELP = "help";
const VERSION = "version";

const flags = new Map(OPTIONS.map((option) => [flagOf(option), option]));
flags.delete(""); // options that only files have

/** Of a switch, and of what may be said without a value. */
function isBare({ kind }: Option): boolean {
  return kind === "switch" || kind === "log";
}

const config: NonNullable<ParseArgsConfig["options"]> = {
  [HELP]: { type: "boolean", short: "h" },
  [VERSION]: { type: "boolean", short: "v" },
  config: { type: "string" },
};
for (const [name, option] of flags) {
  config[name] = { type: isBare(option) ? "boolean" : "string" };
  if (option.short !== undefined) {
    config[name].short = option.short;
  }
  if (isBare(option)) {
    config[`no-${name}`] = { type: "boolean" };
  }
}

interface Token {
  kind: "option" | "positional" | "option-terminator";
  index: number;
  name?: string;
  rawName?: string;
  value?: string;
  inlineValue?: boolean;
}

function isOurs({ name = "" }: Token): boolean {
  return Object.hasOwn(config, name);
}

/** What parseArgs lets pass when it is not strict: a value that is missing, or one too many. */
function expectValue({ name = "", rawName, value, inlineValue }: Token): void {
  const needsOne = config[name].type === "string";
  if (needsOne && (value === undefined || !inlineValue && value.startsWith("-"))) {
    throw new Failure(2, `${rawName} needs a value`);
  }
  if (!needsOne && value !== undefined && flags.get(name)?.kind !== "log") {
    throw new Failure(2, `${rawName} takes no value`);
  }
}

function setValue(values: Values, { name = "", rawName = "", value }: Token): void {
  const option = flags.get(name);
  if (option !== undefined) {
    Object.assign(values, { [option.key]: valueOf(option, value ?? true, rawName) });
  } else {
    const negated = flags.get(name.slice("no-".length))!;
    Object.assign(values, { [negated.key]: valueOf(negated, false, rawName) });
  }
}

/** `--access-log json` is `--access-log=json`: a format is no app. */
function joinFormats(tokens: Token[]): Token[] {
  return tokens.flatMap((token, i) => {
    const [before, after] = [tokens[i - 1], tokens[i + 1]];
    const takes = (log: Token | undefined, word: Token | undefined) =>
      log?.kind === "option" && log.value === undefined && word?.kind === "positional" &&
      flags.get(log.name ?? "")?.choices?.includes(word.value ?? "") === true;
    if (takes(before, token)) {
      return [];
    }
    return takes(token, after) ? [{ ...token, value: after.value, inlineValue: true }] : [token];
  });
}

/** Refuses what is nearly one of ours: a limit that is misspelt is none. */
function refuseNear({ name = "", rawName }: Token): void {
  const most = Math.min(3, Math.max(0, Math.ceil(name.length / 3) - 1));
  const [meant] = near(name, Object.keys(config), most);
  if (meant !== undefined) {
    throw new Failure(
      2,
      `there is no option ${rawName}: did you mean --${meant}? (one of the app's own stands behind the app)`,
    );
  }
}

/** The options of ours among the tokens behind the app. */
function lateAmong(tokens: Token[]): Pick<Arguments, "late"> {
  const end = tokens.findIndex(({ kind }) => kind === "option-terminator");
  const late = tokens.slice(0, end < 0 ? undefined : end)
    .filter((token) => token.kind === "option" && isOurs(token))
    .map(({ rawName = "" }) => rawName);
  return late.length > 0 ? { late } : {};
}

/**
 * Reads the arguments: options of ours stand before the app, the first word that is no option.
 * Unknown options before it, and all that follows it, are the app's, in their order. Throws a
 * Failure when one of ours is wrong.
 */
export function parseArguments(args: string[]): Arguments {
  const parsed = parseArgs({
    args,
    options: config,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const found: Arguments = { rest: [], values: {} };
  const tokens: Token[] = joinFormats(parsed.tokens);
  for (const [i, token] of tokens.entries()) {
    const { kind, index, name, value } = token;
    if (kind !== "option") {
      const at = kind === "positional" ? index : index + 1;
      const rest = [...found.rest, ...args.slice(at + 1)];
      return { ...found, app: args[at], rest, ...lateAmong(tokens.slice(i + 1)) };
    }
    const before = tokens[i - 1]?.index === index ? tokens[i - 1] : undefined; // of one word: -xy
    if (before !== undefined && isOurs(before) !== isOurs(token)) {
      throw new Failure(2, `${args[index]} mixes bjoern's options and others: write them apart`);
    }
    if (!isOurs(token)) {
      refuseNear(token);
      found.rest.push(...before === undefined ? [args[index]] : []);
      continue;
    }
    expectValue(token);
    if (name === HELP || name === VERSION) {
      return { ...found, wants: name };
    }
    if (name === "config") {
      found.config = value;
    } else {
      setValue(found.values, token);
    }
  }
  return found;
}

function helpLine(option: Option): string {
  const { short, kind, value, text } = option;
  const before = short === undefined ? "    " : `-${short}, `;
  const name = `${isBare(option) ? "[no-]" : ""}${flagOf(option)}`;
  const after = kind === "log" ? " [FORMAT]" : value && ` ${value}`;
  const fallback = defaultOf(option) === undefined ? "" : ` (${defaultOf(option)})`;
  return `  ${before}--${name}${after}`.padEnd(32) + "  " + text + fallback;
}

/** The part of `--help` that the table tells. */
export function optionsHelp(): string {
  return Object.entries(GROUPS).map(([heading, options]) => {
    const lines = options.filter((option) => flagOf(option) !== "").map(helpLine);
    return `${heading}:\n${lines.join("\n")}\n`;
  }).join("\n");
}
