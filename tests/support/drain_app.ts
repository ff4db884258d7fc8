// A server that is ended or reloaded under load, and what it has counted when it is over. The
// argument is JSON: where to listen, and for how long it drains. It prints its port, and at the end
// a `Count`. SIGUSR2 puts another version of the app in place.
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { type Result, run } from "../../mod.ts";
import { streamOf } from "./wire_app.ts";

/** What a test wants. */
export interface Given {
  host: string;
  drainTimeout?: number;
}

/** What has happened, as the server saw it. */
export interface Count {
  /** Requests that a handler was called with. */
  handled: number;
  answered: number;
  aborted: number;
}

const given: Given = JSON.parse(process.argv[2]);
let handled = 0;

/** `/kind/text`: the answer is the text, and the version that has answered. */
function app(version: number) {
  return (request: Request): Result | Promise<Result> => {
    handled++;
    const [, kind, text] = new URL(request.url).pathname.split("/");
    const answer = `${text} ${version}`;
    switch (kind) {
      case "late":
        return sleep(Math.random() * 4).then(() => answer);
      case "stream":
        return new Response(streamOf(answer.slice(0, 1), answer.slice(1)));
      case "echo":
        return request.text().then((body) => new Response(`${body} ${version}`));
      case "never":
        return new Promise(() => {});
      default:
        return answer;
    }
  };
}

const { host, drainTimeout = 0 } = given;
const server = run(app(1), { host, port: 0, handleSignals: true, drainTimeout });
process.on("SIGUSR2", () => {
  server.reload(app(2));
  console.log("reloaded");
});
console.log(server.port);
await server.finished;
const { resp_done, resp_aborted } = server.metrics();
console.log(
  JSON.stringify({ handled, answered: resp_done, aborted: resp_aborted } satisfies Count),
);
process.exit(); // the listener of SIGUSR2 would keep the process
