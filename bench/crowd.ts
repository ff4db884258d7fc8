import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** Connections opened at a time: fewer than any server's backlog. */
const AT_ONCE = 250;
const PATIENCE = 10_000;

/** Many connections, each of which has sent a request and received at least part of its answer. */
export class Crowd {
  readonly #sockets: Socket[] = [];
  readonly #mark: string;
  /** Marks received so far. */
  marks = 0;
  /** Connections that the server has closed. */
  lost = 0;

  private constructor(mark: string) {
    this.#mark = mark;
  }

  /** Opens `size` connections. `mark` occurs once in each part of an answer. */
  static async open(port: number, size: number, request: Uint8Array, mark: string): Promise<Crowd> {
    const crowd = new Crowd(mark);
    try {
      while (crowd.#sockets.length < size) {
        const count = Math.min(AT_ONCE, size - crowd.#sockets.length);
        await Promise.all(Array.from({ length: count }, () => crowd.#join(port, request)));
      }
    } catch (error) {
      crowd.leave();
      throw error;
    }
    return crowd;
  }

  async #join(port: number, request: Uint8Array): Promise<void> {
    const socket = connect(port, "127.0.0.1");
    this.#sockets.push(socket);
    socket.on("error", () => {});
    socket.on("close", () => this.lost++);
    socket.on("data", (data) => this.marks += data.toString().split(this.#mark).length - 1);
    socket.write(request);
    await once(socket, "data", { signal: AbortSignal.timeout(PATIENCE) });
  }

  /** Closes all connections at once. */
  leave(): void {
    for (const socket of this.#sockets) {
      socket.removeAllListeners("close").destroy();
    }
  }
}
