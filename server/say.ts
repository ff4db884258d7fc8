/**
 * Messages of a server. Nothing depends on them being written: the disk may be full, the terminal
 * or pipe closed. Deno then throws.
 *
 * @module
 */

/** To the standard output. */
export function say(...words: unknown[]): void {
  try {
    console.log(...words);
  } catch {
    // Costs this line, never the process.
  }
}

/** To the standard error output. */
export function complain(...words: unknown[]): void {
  try {
    console.error(...words);
  } catch {
    // Costs this line, never the process.
  }
}
