/**
 * A watch on a socket that the runtime provides only later.
 *
 * @module
 */
import type { Watch } from "./native.ts";

/** Calls made before the watch exists are applied once it does. */
export function later(arriving: Promise<Watch>): Watch {
  let arrived: Watch | undefined;
  arriving.then((watch) => arrived = watch);
  const tell = (action: (watch: Watch) => void) => {
    arrived ? action(arrived) : arriving.then(action);
  };
  return {
    ref: () => tell((watch) => watch.ref()),
    unref: () => tell((watch) => watch.unref()),
    close: () => tell((watch) => watch.close()),
  };
}
