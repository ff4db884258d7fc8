/**
 * Creates a listening server in the library.
 *
 * @module
 */
import { more } from "../ffi/library.ts";
import type { Library, Pointer } from "../ffi/symbols.ts";
import { cString, ERROR_SIZE } from "./c_string.ts";
import { expectProxied, listenAt } from "./listening.ts";
import type { Memory } from "./memory.ts";
import { type Settings, toRecord } from "./options.ts";
import { tell } from "./statsd.ts";

function create(library: Library, memory: Memory, settings: Settings): Pointer {
  const { arena, fields, events, output, commands } = memory;
  const error = new Uint8Array(ERROR_SIZE);
  const options = toRecord(settings);
  const server = library
    .bj_server_new(options, arena, fields, events, output, commands, error);
  if (server === null) {
    throw new Error(`Cannot create a server: ${cString(error)}`);
  }
  return server;
}

/** A listening server; on failure everything created so far is freed. */
export function openServer(library: Library, memory: Memory, settings: Settings): Pointer {
  const server = create(library, memory, settings);
  try {
    if (settings.statsd !== undefined) {
      tell(server, settings.statsd);
    }
    if (settings.proxies !== undefined) {
      expectProxied(server, settings.proxies);
    }
    listenAt(library, server, settings);
  } catch (error) {
    more().bj_server_free(server);
    throw error;
  }
  return server;
}
