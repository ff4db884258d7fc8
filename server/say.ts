/**
 * What a server has to say. Nothing depends on its being read: the disk may be full, the terminal
 * gone, or a pipe. Deno throws then.
 *
 * @module
 */

/** To the standard output. */
export function say(...words: unknown[]): void {
  try {
    console.log(...words);
  } catch {
    // It costs its line, never the process.
  }
}

/** To the standard error output. */
export function complain(...words: unknown[]): void {
  try {
    console.error(...words);
  } catch {
    // It costs its line, never the process.
  }
}
