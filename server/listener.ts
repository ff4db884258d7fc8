/**
 * Separate listening sockets, from which servers accept.
 *
 * @module
 */
import { tools } from "../ffi/library.ts";
import type { Pointer } from "../ffi/symbols.ts";
import { refuseUnknown } from "./checks.ts";
import { ERROR_SIZE, toCString } from "./c_string.ts";
import { type Place, placeOf, readAddress, refusal } from "./listening.ts";
import { discharge, enlist } from "./live.ts";
import { type Settings, settingsOf } from "./options.ts";
import type { Addr, Options } from "./types.ts";

/** Options of {@linkcode bindAndListen}. */
export type ListenerOptions = Pick<Options, "listenBacklog" | "reusePort" | "mode">;

/**
 * A listening socket, returned by {@linkcode bindAndListen}.
 *
 * @example
 * ```ts
 * import { bindAndListen, serverRun } from "@x/bjoern";
 *
 * using listener = bindAndListen("127.0.0.1", 0);
 * const server = serverRun(listener, () => "Hello");
 * console.log(listener.fd, listener.addr);
 * await server.shutdown();
 * ```
 */
export class Listener implements Disposable {
  /** The descriptor, for {@linkcode serverRun} or for another process. */
  readonly fd: number;
  /** Where it listens. */
  readonly addr: Addr;
  #pointer: Pointer | null;

  /** Use {@linkcode bindAndListen}. */
  constructor(pointer: Pointer) {
    this.#pointer = pointer;
    this.fd = tools().bj_listener_fd(pointer);
    this.addr = readAddress((to) => tools().bj_address(this.fd, to))!;
    enlist(this);
  }

  /** Closes the socket and removes its file; this also happens when the process exits. */
  close(): void {
    if (this.#pointer !== null) {
      tools().bj_listener_close(this.#pointer);
      this.#pointer = null;
      discharge(this);
    }
  }

  /** The same, called when the process exits. */
  stop(): void {
    this.close();
  }

  /** {@linkcode Listener.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}

function open(place: Place, { listenBacklog, reusePort, mode }: Settings): Listener {
  const [host, port] = "fd" in place ? [`fd:${place.fd}`, 0] : [place.host, place.port];
  const reason = new Uint32Array(1);
  const error = new Uint8Array(ERROR_SIZE);
  const pointer = tools().bj_listener_open(
    toCString(host),
    port,
    listenBacklog,
    reusePort ? 1 : 0,
    mode,
    reason,
    error,
  );
  if (pointer === null) {
    throw refusal(place, error, reason[0]);
  }
  return new Listener(pointer);
}

/** Duplicates a listening socket that stays its owner's. Throws a ListenError. */
export function duplicate(fd: number): Listener {
  return open({ fd }, settingsOf({}));
}

/**
 * Listens without accepting: servers of this or another process accept, with {@linkcode serverRun}
 * or as `"fd:N"`. Takes the addresses of {@linkcode Options.host}, except for inherited sockets.
 *
 * @param port The TCP port; 0, the default, picks a free one.
 * @throws {TypeError} If an argument has the wrong type, an option is unknown, or `host` names an
 * inherited socket (`"fd:N"`, `"systemd"`).
 * @throws {RangeError} If a number is out of range.
 * @throws {ListenError} If the address cannot be used.
 * @throws {LibraryError} If the C library cannot be loaded.
 *
 * @example
 * ```ts
 * import { bindAndListen } from "@x/bjoern";
 *
 * const listener = bindAndListen("127.0.0.1", 0, { listenBacklog: 128 });
 * console.log(listener.addr);
 * listener.close();
 * ```
 */
export function bindAndListen(
  host: string,
  port?: number,
  options: ListenerOptions = {},
): Listener {
  refuseUnknown(options, ["listenBacklog", "reusePort", "mode"], "bindAndListen().");
  const settings = settingsOf({ ...options, port });
  const place = placeOf(host, port ?? 0, port !== undefined);
  if ("fd" in place) {
    throw new TypeError(`There is nothing to bind: "${host}" listens already`);
  }
  return open(place, settings);
}
