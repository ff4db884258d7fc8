// A server that is ended or reloaded under load. The argument is JSON: see `Given`. Prints its
// port, "busy" when it is under load, and a `Count` at the end. SIGUSR2 replaces the app with
// another version.
import process from "node:process";
import { type Result, run } from "../../mod.ts";
import { loadedApp } from "./loaded_app.ts";

/** The test's settings. */
export interface Given {
  host: string;
  drainTimeout?: number;
  /** Requests to one version of the app after which it counts as busy. */
  busy?: number;
}

/** What the server has counted. */
export interface Count {
  /** Requests passed to a handler. */
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
process.exit(); // the listener for SIGUSR2 keeps the process alive
