/**
 * How this process was started, so that another one can be started the same way.
 *
 * @module
 */
import { tools } from "../../ffi/library.ts";
import { workerNumber } from "../worker.ts";

/** A longer command line needs the option `command`. */
const LONGEST = 128 * 1024;

/**
 * Program and arguments of this process: the same runtime with the same flags, script and
 * arguments. Throws an Error if the system does not reveal them, and in a worker: its workers would
 * start workers again, endlessly.
 */
export function ownCommand(): string[] {
  if (workerNumber() !== undefined) {
    throw new Error(
      "A worker cannot start workers with its own command line: see workerNumber() and workerRun()",
    );
  }
  const memory = new Uint8Array(LONGEST);
  const size = tools().bj_command_line(memory, LONGEST);
  if (size < 0) {
    throw new Error(
      "Cannot determine how this process was started: set the workers' option command",
    );
  }
  const [, ...rest] = new TextDecoder().decode(memory.subarray(0, size)).split("\0").slice(0, -1);
  return [process.execPath, ...rest];
}
