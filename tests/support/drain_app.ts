// A server that is ended or reloaded under load, and what it has counted when it is over. The
// argument is JSON: see `Given`. It prints its port, "busy" when there is load, and at the end a
// `Count`. SIGUSR2 puts another version of the app in place.
import process from "node:process";
import { type Result, run } from "../../mod.ts";
import { loadedApp } from "./loaded_app.ts";

/** What a test wants. */
export interface Given {
  host: string;
  drainTimeout?: number;
  /** Requests to one version of the app that are a load. */
  busy?: number;
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

function app(version: number): (request: Request) => Result | Promise<Result> {
  const answer = loadedApp(version);
  let own = 0;
  return (request) => {
    handled++;
    if (++own === given.busy) {
      console.log("busy");
    }
    return answer(request);
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
