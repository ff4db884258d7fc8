/**
 * What the command line says in one line, without a stack.
 *
 * @module
 */

/** An error that the user can mend; `status` is the exit status. */
export class Failure extends Error {
  /** 1 when something cannot be used, 2 when the arguments or the configuration are wrong. */
  readonly status: 1 | 2;

  constructor(status: 1 | 2, message: string) {
    super(message);
    this.status = status;
  }
}
