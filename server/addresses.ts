/**
 * Addresses in Deno's and Bun's formats.
 *
 * @module
 */
import type { Addr } from "./types.ts";

/** The highest port. */
export const MOST_PORT = 65535;

/** The longest run of zero groups of an IPv6 address is left out (RFC 5952). */
function ipv6(bytes: Uint8Array): string {
  const groups = Array.from(
    { length: 8 },
    (_, i) => (bytes[2 * i] << 8 | bytes[2 * i + 1]).toString(16),
  );
  const runs = groups.join(":").match(/\b0(?::0)+\b/g) ?? [];
  const longest = runs.sort((a, b) => b.length - a.length)[0];
  return longest === undefined
    ? groups.join(":")
    : groups.join(":").replace(longest, "::").replace(/:{3,}/, "::");
}

function isMapped(bytes: Uint8Array): boolean {
  return bytes[10] === 255 && bytes[11] === 255 &&
    bytes.subarray(0, 10).every((byte) => byte === 0);
}

/** The text of 16 bytes in network order; an IPv4-mapped address becomes an IPv4 one. */
export function ip(bytes: Uint8Array): string {
  return isMapped(bytes) ? bytes.subarray(12, 16).join(".") : ipv6(bytes);
}

/** An address in the notation of `ip()`, from any valid notation. */
export function canonical(address: string): string {
  if (!address.includes(":")) {
    return address;
  }
  const host = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([\da-f]+):([\da-f]+)$/.exec(host) ?? [];
  const words = [parseInt(high, 16), parseInt(low, 16)];
  return low === undefined ? host : words.flatMap((word) => [word >> 8, word & 255]).join(".");
}

/** Parses an address from the library: a host, or `unix:` and a path. */
export function parse(host: string, port: number): Addr {
  return host.startsWith("unix:")
    ? { transport: "unix", path: host.slice("unix:".length) }
    : { transport: "tcp", hostname: host, port };
}

/** A host as written in a URL. */
export function urlHost(hostname: string): string {
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}

/** The TCP port of an address; 0 for a Unix socket. */
export function portOf(addr: Addr): number {
  return addr.transport === "tcp" ? addr.port : 0;
}

/** `http://host:port/`, or `unix:/path`. */
export function urlOf(addr: Addr): URL {
  return new URL(
    addr.transport === "tcp"
      ? `http://${urlHost(addr.hostname)}:${addr.port}/`
      : `unix:${addr.path}`,
  );
}

/** `host:port`, or `unix:path`, for messages. */
export function show(host: string, port: number): string {
  return host.startsWith("unix:") ? host : `${urlHost(host)}:${port}`;
}
