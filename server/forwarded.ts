/**
 * What proxies say about requests they forward: `Forwarded` (RFC 7239) and its predecessors
 * `X-Forwarded-*`. All of it may be forged by a client, except for what trusted proxies have
 * appended.
 *
 * @module
 */
import { canonical } from "./addresses.ts";
import { isIP, type Trust } from "./trust.ts";
import type { Addr, NetAddr } from "./types.ts";

/** The trusted information; members are missing if nobody provides them. */
export interface Forwarded {
  /** The farthest known host: the first that is not trusted itself. */
  client?: NetAddr;
  /** The scheme that it used. */
  scheme?: "http" | "https";
  /** The authority that it requested. */
  authority?: string;
}

/** What one proxy says about the request that it received, as text. */
interface Hop {
  for?: string;
  proto?: string;
  host?: string;
}

type Field = (name: string) => string | null;

const AUTHORITY = /^(?:\[[\da-f:.]+\]|[\w.~!$&'()*+;=-]+)(?::\d{1,5})?$/i;

function portOf(digits: string): number {
  return Number(digits) > 65535 ? 0 : Number(digits);
}

/** An address, perhaps with a port: `[IPv6]:port`, `IPv4:port`, plain IPv6. */
const NODE = /^(?:\[([\da-f:.]+)\]|([\d.]+))(?::(?:(\d{1,5})|_[\w.-]+))?$|^[\da-f:.]+$/i;

/** The address in a node. `unknown` and obfuscated names have none. */
function readNode(text = ""): NetAddr | undefined {
  const [whole = "", v6, v4, port = "0"] = NODE.exec(text) ?? [];
  const address = v6 ?? v4 ?? whole;
  return isIP(address) === (v4 === undefined ? 6 : 4)
    ? { transport: "tcp", hostname: canonical(address), port: portOf(port) }
    : undefined;
}

// ---- Forwarded -------------------------------------------------------------------------------

/** A pair with a token or quoted string as value, and the end of the element or the next pair. */
const PAIR =
  /[ \t]*(?:([!#$%&'*+.^_`|~\w-]+)=([!#$%&'*+.^_`|~\w-]+|"(?:[^"\\]|\\.)*")[ \t]*)?(?:;|$)/y;

function readElement(text: string): Hop | undefined {
  const hop: Record<string, string> = {};
  PAIR.lastIndex = 0;
  while (PAIR.lastIndex < text.length) {
    const found = PAIR.exec(text);
    if (found === null) {
      return undefined;
    }
    const [, name, value] = found;
    if (name !== undefined) {
      const lower = name.toLowerCase();
      if (Object.hasOwn(hop, lower)) {
        return undefined;
      }
      hop[lower] = value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, "$1") : value;
    }
  }
  return hop;
}

/**
 * Elements from last to first. When parsing from the start, a client's unclosed quotation mark
 * would swallow what a proxy has appended.
 */
function* elements(list: string): Generator<Hop | undefined> {
  for (let end = list.length; end >= 0;) {
    let start = end - 1;
    while (start >= 0 && list[start] !== ",") {
      start = list[start] === '"' ? list.lastIndexOf('="', start - 2) - 1 : start - 1;
    }
    yield readElement(list.slice(Math.max(0, start + 1), end).trim());
    end = start;
  }
}

// ---- X-Forwarded-* ---------------------------------------------------------------------------

function* zipped(lists: Record<keyof Hop, string | null>): Generator<Hop> {
  const split = (list: string | null) => list?.split(",").reverse() ?? [];
  const [fors, protos, hosts] = [split(lists.for), split(lists.proto), split(lists.host)];
  for (let i = 0; i < Math.max(fors.length, protos.length, hosts.length); i++) {
    yield { for: fors[i]?.trim(), proto: protos[i]?.trim(), host: hosts[i]?.trim() };
  }
}

/**
 * `X-Forwarded-*` if there is any, as nearly every proxy sets only these: a client's
 * `Forwarded` passes through most of them.
 */
function hopsOf(field: Field): Iterable<Hop | undefined> {
  const lists = {
    for: field("x-forwarded-for"),
    proto: field("x-forwarded-proto"),
    host: field("x-forwarded-host"),
  };
  if (Object.values(lists).some((list) => list !== null)) {
    return zipped(lists);
  }
  const forwarded = field("forwarded");
  return forwarded === null ? [] : elements(forwarded);
}

/** A peer on a Unix socket is on this machine, and the file's mode controls access. */
const LOCAL = "127.0.0.1";

/**
 * Goes from proxy to proxy, starting with the peer, as long as they are trusted: what the farthest
 * of them says counts. Behind one that names nobody nothing is trusted. `undefined` if
 * the peer itself is not trusted.
 */
export function readForwarded(trust: Trust, peer: Addr, field: Field): Forwarded | undefined {
  const found: Forwarded = {};
  if (!trust.believes(peer.transport === "tcp" ? peer.hostname : LOCAL, 0)) {
    return undefined;
  }
  let distance = 0;
  for (const hop of hopsOf(field)) {
    const scheme = hop?.proto?.toLowerCase();
    if (scheme === "http" || scheme === "https") {
      found.scheme = scheme;
    }
    if (hop?.host !== undefined && AUTHORITY.test(hop.host)) {
      found.authority = hop.host;
    }
    const client = readNode(hop?.for);
    if (client === undefined) {
      break;
    }
    found.client = client;
    if (!trust.believes(client.hostname, ++distance)) {
      break;
    }
  }
  return found;
}
