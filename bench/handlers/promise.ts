/** Awaits a resolved promise: the answer comes a microtask later. */
export default async (): Promise<Response> => {
  await Promise.resolve();
  return new Response("Hello, World!");
};
