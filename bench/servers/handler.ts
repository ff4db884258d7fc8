// What the programs of one contract have in common: each is started with the name of a handler, the
// seconds that an idle connection is kept and our spin, and prints the port that it got.
import process from "node:process";

/** A Fetch handler, as all three servers take it. */
export type Handler = (request: Request) => Response | Promise<Response>;

const [name, seconds, micros] = process.argv.slice(2);

/** The handler that the program was started with. */
export const { default: handler }: { default: Handler } = await import(`../handlers/${name}.ts`);

/** Seconds that an idle connection is kept; `undefined` for the server's own default. */
export const idle: number | undefined = seconds ? Number(seconds) : undefined;

/** How long ours looks for work before it sleeps, in µs; `undefined` for its default. */
export const spin: number | undefined = micros ? Number(micros) : undefined;
