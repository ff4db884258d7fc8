import { setImmediate } from "node:timers";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Awaits a later turn of the event loop, as with a database's answer. */
export default async (): Promise<Response> => {
  await turn();
  return new Response("Hello, World!");
};
