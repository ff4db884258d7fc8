/**
 * Where a server listens.
 *
 * @module
 */
import { tools } from "../ffi/library.ts";
import { native } from "../ffi/native.ts";
import type { Library, Pointer } from "../ffi/symbols.ts";
import { MOST_PORT, parse, show } from "./addresses.ts";
import { ADDRESS_SIZE, cString, ERROR_SIZE, toCString } from "./c_string.ts";
import { errnos, ListenError } from "./errors.ts";
import type { Settings } from "./options.ts";
import type { Addr } from "./types.ts";

/** A foreign descriptor, or an address. */
export type Place = { fd: number } | { host: string; port: number };

/** The first descriptor passed by systemd (`sd_listen_fds(3)`). */
const FIRST_FD = 3;

function activated(name: string): number {
  const fail = (reason: string) => {
    throw new ListenError(
      name === "" ? "systemd" : `systemd:${name}`,
      reason,
      errnos().ENOENT,
    );
  };
  const count = Number(native.env("LISTEN_FDS") ?? 0);
  if (!(count > 0) || Number(native.env("LISTEN_PID")) !== process.pid) {
    return fail("systemd has handed no socket to this process (LISTEN_FDS, LISTEN_PID)");
  }
  const names = (native.env("LISTEN_FDNAMES") ?? "").split(":");
  const index = name === "" ? 0 : names.indexOf(name);
  return index >= 0 && index < count
    ? FIRST_FD + index
    : fail(`systemd has handed over ${names.join(", ") || "no names"} (LISTEN_FDNAMES)`);
}

function describe(value: unknown): string {
  return typeof value === "number" || value === null ? String(value) : typeof value;
}

/** Splits `[::1]:8000` and `localhost:8000`. */
function withPort(host: string): [host: string, port: number | undefined] {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]*))(?::(\d{1,5}))?$/.exec(host) ?? [];
  return [bracketed ?? plain ?? host, port === undefined ? undefined : Number(port)];
}

/** Interprets the options `host` and `port`. Throws a TypeError, RangeError or ListenError. */
export function placeOf(host: unknown, port: number, isPortGiven: boolean): Place {
  if (Number.isInteger(host) && (host as number) >= 0) {
    return { fd: host as number };
  }
  if (typeof host !== "string") {
    throw new TypeError(`Option host must be a string or a descriptor, not ${describe(host)}`);
  }
  if (host === "") {
    throw new TypeError('Option host must not be empty: all addresses are "0.0.0.0" or "::"');
  }
  if (host.includes("\0")) {
    throw new TypeError("Option host must not contain NUL");
  }
  const [, kind, rest = ""] = /^(fd|systemd)(?::(.*))?$/.exec(host) ?? [];
  if (kind === "fd") {
    if (!/^\d{1,9}$/.test(rest)) {
      throw new TypeError(`Option host must be "fd:" and a descriptor's number: "${host}"`);
    }
    return { fd: Number(rest) };
  }
  if (kind === "systemd") {
    return { fd: activated(rest) };
  }
  if (host.startsWith("unix:")) {
    return { host, port: 0 };
  }
  if (host.includes("://")) {
    throw new TypeError(`Option host must be a name or an address, not a URL: "${host}"`);
  }
  const [name, own] = withPort(host);
  if (own !== undefined && own > MOST_PORT) {
    throw new RangeError(`Option host names port ${own}: there are ports up to ${MOST_PORT}`);
  }
  if (own !== undefined && isPortGiven && own !== port) {
    throw new TypeError(`Option host names port ${own}, option port ${port}`);
  }
  return { host: name, port: own ?? port };
}

/** The error for an address on which the library could not listen. */
export function refusal(place: Place, error: Uint8Array, reason: number): ListenError {
  if ("fd" in place) {
    const hint = reason === errnos().EBADF
      ? " (a number means a descriptor: for a port use { port })"
      : "";
    return new ListenError(`descriptor ${place.fd}`, cString(error) + hint, reason);
  }
  return new ListenError(show(place.host, place.port), cString(error), reason);
}

/** Requires each connection to start with a PROXY header, from one of the networks in `from`. */
export function expectProxied(server: Pointer, from: string): void {
  const error = new Uint8Array(ERROR_SIZE);
  if (tools().bj_server_proxied(server, toCString(from), error) !== 0) {
    throw new Error(`Cannot expect the PROXY protocol from ${from}: ${cString(error)}`);
  }
}

/** Makes a server listen. Throws a ListenError. */
export function listenAt(library: Library, server: Pointer, settings: Settings): void {
  const error = new Uint8Array(ERROR_SIZE);
  const { place, listenBacklog, reusePort, mode } = settings;
  const refused = "fd" in place
    ? tools().bj_server_adopt(server, place.fd, error)
    : library.bj_server_listen(
      server,
      toCString(place.host),
      place.port,
      listenBacklog,
      reusePort ? 1 : 0,
      mode,
      error,
    );
  if (refused !== 0) {
    throw refusal(place, error, -refused);
  }
}

/** Reads an address written by the library. */
export function readAddress(write: (address: Uint8Array) => number): Addr | undefined {
  const address = new Uint8Array(ADDRESS_SIZE);
  const port = write(address);
  return port < 0 ? undefined : parse(cString(address), port);
}
