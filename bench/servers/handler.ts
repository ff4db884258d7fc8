// Shared by the servers that take a Fetch handler. The arguments are the handler's name, the
// seconds that idle connections are kept, and bjoern's spin; each server prints its port.
import process from "node:process";

/** A Fetch handler, which all three servers accept. */
export type Handler = (request: Request) => Response | Promise<Response>;

const [name, seconds, micros] = process.argv.slice(2);

/** The handler named on the command line. */
export const { default: handler }: { default: Handler } = await import(`../handlers/${name}.ts`);

/** Seconds that idle connections are kept; `undefined` for the server's default. */
export const idle: number | undefined = seconds ? Number(seconds) : undefined;

/** How long bjoern polls for work before it sleeps, in µs; `undefined` for its default. */
export const spin: number | undefined = micros ? Number(micros) : undefined;
