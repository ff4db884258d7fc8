/**
 * What both runtimes do about a socket that they do not give at once.
 *
 * @module
 */
import type { Watch } from "./native.ts";

/** What is asked of a watch before it is there is done then. */
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
