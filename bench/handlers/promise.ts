/** Awaits what is there already: the answer comes a microtask later. */
export default async (): Promise<Response> => {
  await Promise.resolve();
  return new Response("Hello, World!");
};
