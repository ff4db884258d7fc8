/**
 * The running servers of this process, so that they can be stopped at exit: Bun unloads no
 * libraries, and a socket file would stay behind.
 *
 * @module
 */
import { native } from "../ffi/native.ts";

/** Something that is stopped at exit. */
export interface Stoppable {
  stop(): void;
}

const live = new Set<Stoppable>();
let forget: (() => void) | undefined;

function stopAll(): void {
  for (const server of [...live]) {
    server.stop();
  }
}

/** Remembers a server. */
export function enlist(server: Stoppable): void {
  if (live.size === 0) {
    forget = native.atExit(stopAll);
  }
  live.add(server);
}

/** Forgets a stopped server. */
export function discharge(server: Stoppable): void {
  live.delete(server);
  if (live.size === 0) {
    forget?.();
  }
}
