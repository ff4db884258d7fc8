// What the command line serves in its tests.
import process from "node:process";
import { setImmediate } from "node:timers";

function waiting(): void {
  console.log("waiting");
}

/** The arguments as programs of the runtime ask for them: `Deno.args`, `Bun.argv`. */
function argumentsOfRuntime(): string[] {
  const runtime: { args?: string[]; argv?: string[] } = Reflect.get(globalThis, "Deno") ??
    Reflect.get(globalThis, "Bun");
  return runtime.args ?? runtime.argv!.slice(2);
}

/**
 * `/args` tells what is left of the arguments, `/pid` which process it is, `/length` how long the body is, `/slow` is answered
 * on SIGTERM, `/never` never.
 */
export default async (request: Request): Promise<Response> => {
  switch (new URL(request.url).pathname) {
    case "/args":
      return Response.json([process.argv.slice(2), argumentsOfRuntime()]);
    case "/pid":
      return new Response(String(process.pid));
    case "/length":
      return new Response(String((await request.text()).length));
    case "/slow":
      waiting();
      await new Promise<void>((resolve) => process.once("SIGTERM", () => setImmediate(resolve)));
      return new Response("slow");
    case "/never":
      waiting();
      return await new Promise<Response>(() => {});
    default:
      return new Response("default");
  }
};

/** A named export that is an app. */
export const api = { fetch: (): Response => new Response("api") };

/** One that is none. */
export const answer = 42;

/** One that keeps its process busy. */
export const ticking = (): string => {
  setInterval(() => {}, 1000);
  return "ticking";
};
