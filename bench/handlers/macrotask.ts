import { setImmediate } from "node:timers";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Awaits what comes in a later turn of the event loop, as an answer of a database does. */
export default async (): Promise<Response> => {
  await turn();
  return new Response("Hello, World!");
};
