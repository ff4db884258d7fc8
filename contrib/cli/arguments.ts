/**
 * Splits the arguments into bjoern's, the app, and the app's.
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

/** The parsed arguments. */
export interface Arguments {
  /** Only print this text. */
  wants?: "help" | "version";
  /** `specifier[:export]`. */
  app?: string;
  /** The app's own arguments. */
  rest: string[];
  /** Those of them that would be bjoern's before the app. */
  late?: string[];
  /** A file with more options. */
  config?: string;
  /** The options. */
  values: Values;
}

const HELP = "help";
const VERSION = "version";

const flags = new Map(OPTIONS.map((option) => [flagOf(option), option]));
flags.delete(""); // options only for files

/** Whether it may be given without a value. */
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

/** Checks what a non-strict parseArgs lets pass: a missing or superfluous value. */
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

/** `--access-log json` means `--access-log=json`: a format is not an app. */
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

/** Refuses options similar to bjoern's: a misspelt limit would be no limit. */
function refuseNear({ name = "", rawName }: Token): void {
  const most = Math.min(3, Math.max(0, Math.ceil(name.length / 3) - 1));
  const [meant] = near(name, Object.keys(config), most);
  if (meant !== undefined) {
    throw new Failure(
      2,
      `there is no option ${rawName}: did you mean --${meant}? (options for the app go after the app)`,
    );
  }
}

/** bjoern's options among the tokens after the app. */
function lateAmong(tokens: Token[]): Pick<Arguments, "late"> {
  const end = tokens.findIndex(({ kind }) => kind === "option-terminator");
  const late = tokens.slice(0, end < 0 ? undefined : end)
    .filter((token) => token.kind === "option" && isOurs(token))
    .map(({ rawName = "" }) => rawName);
  return late.length > 0 ? { late } : {};
}

/**
 * Parses the arguments: bjoern's options precede the app, the first word that is not an option.
 * Unknown options before it, and everything after it, are the app's, in order. Throws a Failure if
 * one of bjoern's is invalid.
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

/** The part of `--help` from the table. */
export function optionsHelp(): string {
  return Object.entries(GROUPS).map(([heading, options]) => {
    const lines = options.filter((option) => flagOf(option) !== "").map(helpLine);
    return `${heading}:\n${lines.join("\n")}\n`;
  }).join("\n");
}
