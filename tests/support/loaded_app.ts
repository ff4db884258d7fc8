// The app of the servers that are tested under load.
import { setTimeout as sleep } from "node:timers/promises";
import type { Result } from "../../mod.ts";
import { streamOf } from "./wire_app.ts";

/** `/kind/text`: answers with the text, and with the version of the app. */
export function loadedApp(version: number): (request: Request) => Result | Promise<Result> {
  return (request) => {
    const [, kind, text] = new URL(request.url).pathname.split("/");
    const answer = `${text} ${version}`;
    switch (kind) {
      case "late":
        return sleep(Math.random() * 4).then(() => answer);
      case "stream":
        return new Response(streamOf(answer.slice(0, 1), answer.slice(1)));
      case "echo":
        return request.text().then((body) => new Response(`${body} ${version}`));
      case "through":
        return new Response(request.body);
      case "never":
        return new Promise(() => {});
      default:
        return answer;
    }
  };
}
