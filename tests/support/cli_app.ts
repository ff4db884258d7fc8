// The app that the command line serves in its tests.
import process from "node:process";
import { setImmediate } from "node:timers";

function waiting(): void {
  console.log("waiting");
}

/** The arguments as the runtime itself reports them: `Deno.args`, `Bun.argv`. */
function argumentsOfRuntime(): string[] {
  const runtime: { args?: string[]; argv?: string[] } = Reflect.get(globalThis, "Deno") ??
    Reflect.get(globalThis, "Bun");
  return runtime.args ?? runtime.argv!.slice(2);
}

/**
 * `/args` answers with the app's own arguments, `/pid` with the process id, `/length` with the
 * length of the body; `/slow` answers on SIGTERM, `/never` never does.
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

/** A named export that is not an app. */
export const answer = 42;

/** An app that keeps its process running. */
export const ticking = (): string => {
  setInterval(() => {}, 1000);
  return "ticking";
};
