/**
 * Whom a server trusts: the options `trustProxy` and `proxyProtocol`.
 *
 * @module
 */

/** Trusted proxies, by distance or by address. */
export interface Trust {
  /** Whether the host at that address, this many hops behind the peer, is trusted. */
  believes(address: string, hop: number): boolean;
}

/** Names for networks, as in npm's proxy-addr. */
const NAMED: Record<string, string[]> = {
  loopback: ["127.0.0.0/8", "::1/128"],
  linklocal: ["169.254.0.0/16", "fe80::/10"],
  uniquelocal: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"],
};

/** The kinds of addresses: their names in `node:net`, and their number of bits. */
const KINDS = { 4: ["ipv4", 32], 6: ["ipv6", 128] } as const;

let net: typeof import("node:net") | undefined;

/** Loaded only if somebody is trusted. */
function nodeNet(): typeof import("node:net") {
  return net ??= process.getBuiltinModule("node:net");
}

/** Node's kind of an address: 4, 6, or 0 for none. */
export function isIP(address: string): number {
  return nodeNet().isIP(address);
}

type Network = [address: string, bits: number, kind: "ipv4" | "ipv6"];

function networkOf(option: string, text: string): Network {
  const [, address = "", bits] = /^([\da-f:.]+)(?:\/(\d{1,3}))?$/i.exec(text) ?? [];
  const version = isIP(address) as 0 | 4 | 6;
  if (version === 0 || Number(bits ?? 0) > KINDS[version][1]) {
    throw new TypeError(
      `Option ${option} has "${text}", which is neither an address, a network such as ` +
        `"10.0.0.0/8", nor one of ${Object.keys(NAMED).join(", ")}`,
    );
  }
  const [kind, most] = KINDS[version];
  return [address, Number(bits ?? most), kind];
}

/** Splits `"loopback, 10.0.0.0/8"`, or a list of such. */
function networksOf(option: string, value: unknown): Network[] {
  const texts: unknown[] = Array.isArray(value) ? value : [value];
  if (!texts.every((text): text is string => typeof text === "string")) {
    const other = texts.find((text) => typeof text !== "string");
    throw new TypeError(`Option ${option} must have addresses as strings, not ${String(other)}`);
  }
  return texts.flatMap((text) => text.split(",")).map((text) => text.trim())
    .filter((text) => text !== "")
    .flatMap((text) => Object.hasOwn(NAMED, text) ? NAMED[text] : text)
    .map((text) => networkOf(option, text));
}

function hopsOf(count: number): Trust | undefined {
  if (!Number.isInteger(count) || count < 0) {
    throw new RangeError(`Option trustProxy must count hops in whole numbers from 0: ${count}`);
  }
  return count === 0 ? undefined : { believes: (_address, hop) => hop < count };
}

/** Interprets `trustProxy`; `undefined` if nobody is trusted. Throws a TypeError or RangeError. */
export function trustOf(value: unknown): Trust | undefined {
  if (value === undefined || value === false) {
    return undefined;
  }
  if (typeof value === "number") {
    return hopsOf(value);
  }
  if (value === true) {
    throw new TypeError(
      "Option trustProxy cannot be true: any client could forge its address. List or count the proxies",
    );
  }
  const networks = networksOf("trustProxy", value);
  if (networks.length === 0) {
    return undefined;
  }
  const list = new (nodeNet().BlockList)();
  networks.forEach((network) => list.addSubnet(...network));
  return {
    believes: (address) => list.check(address, address.includes(":") ? "ipv6" : "ipv4"),
  };
}

/**
 * Who may start with a PROXY header, in the library's format: networks with commas, `""` for all;
 * `undefined` if nobody does. Throws a TypeError.
 */
export function proxiesOf(value: unknown): string | undefined {
  if (value === undefined || typeof value === "boolean") {
    return value ? "" : undefined;
  }
  const networks = networksOf("proxyProtocol", value);
  if (networks.length === 0) {
    throw new TypeError("Option proxyProtocol is empty: use true for all, false for none");
  }
  return networks.map(([address, bits]) => `${address}/${bits}`).join();
}
