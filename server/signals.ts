/**
 * What SIGINT and SIGTERM do when the user wants them handled.
 *
 * @module
 */

/** What is stopped. */
export interface Drainable {
  readonly finished: Promise<void>;
  shutdown(options: { timeout?: number }): Promise<void>;
  stop(): void;
}

/** The first signal lets running requests finish, for `timeout` ms; the second one ends them. */
export function stopOnSignals(server: Drainable, timeout: number): void {
  let signals = 0;
  const onSignal = () => {
    signals++ === 0 ? void server.shutdown(timeout > 0 ? { timeout } : {}) : server.stop();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  server.finished.then(() => {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  });
}
