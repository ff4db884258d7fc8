// What the command line serves in its tests.
import process from "node:process";
import { setImmediate } from "node:timers";

function waiting(): void {
  console.log("waiting");
}

/** `/args` tells what is left of the arguments, `/slow` is answered on SIGTERM, `/never` never. */
export default async (request: Request): Promise<Response> => {
  switch (new URL(request.url).pathname) {
    case "/args":
      return Response.json(process.argv.slice(2));
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
