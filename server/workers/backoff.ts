/**
 * How long to wait before a dead worker is restarted.
 *
 * @module
 */

/** Doubling delays in ms, from `least` to `most`. */
export class Backoff {
  readonly #least: number;
  readonly #most: number;
  #next: number;

  constructor(least: number, most: number) {
    this.#least = Math.min(least, most);
    this.#most = most;
    this.#next = this.#least;
  }

  /** The delay after a worker that has lived for `lived` ms. */
  after(lived: number): number {
    const delay = lived < this.#most ? this.#next : this.#least;
    this.#next = Math.min(delay * 2, this.#most);
    return delay;
  }
}
