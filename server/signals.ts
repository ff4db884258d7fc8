/**
 * Signal handling, if enabled.
 *
 * @module
 */

/** Calls `actions` on events of this process, such as signals, until `end` settles. */
export function listenUntil(
  end: Promise<unknown>,
  actions: Record<string, (message?: unknown) => void>,
): void {
  for (const [name, action] of Object.entries(actions)) {
    process.on(name, action);
  }
  end.then(() => {
    for (const [name, action] of Object.entries(actions)) {
      process.off(name, action);
    }
  });
}

/** What to stop. */
export interface Drainable {
  readonly finished: Promise<void>;
  shutdown(options: { timeout?: number }): Promise<void>;
  stop(): void;
}

/** The first signal lets running requests finish, for `timeout` ms; the second one cuts them. */
export function stopOnSignals(server: Drainable, timeout: number): void {
  let signals = 0;
  const onSignal = () => {
    signals++ === 0 ? void server.shutdown(timeout > 0 ? { timeout } : {}) : server.stop();
  };
  listenUntil(server.finished, { SIGINT: onSignal, SIGTERM: onSignal });
}
