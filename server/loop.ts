/**
 * When turns are taken: at once while there is work, after a while of looking for some the thread
 * parks and is woken through a descriptor.
 *
 * @module
 */
import { clearImmediate, setImmediate } from "node:timers";
import { native, type Watch } from "../ffi/native.ts";

/** What a loop drives. */
export interface Turner {
  /** Takes a turn; returns how many events it found. */
  turn(): number;
  /** Whether no handler waits for the runtime. */
  readonly isQuiet: boolean;
  /** Asks to be woken; false when there is work already. */
  park(): boolean;
}

/** Milliseconds of turns after which the runtime's own I/O has waited long enough (Deno). */
const FAIR_SHARE = 0.5;
/** Turns that find nothing before the runtime goes round: some microseconds. */
const LOOKS = 16;
/** Immediates that make Deno poll its I/O. */
const FAIR_TICKS = 61;

/** Drives one server. */
export class Loop {
  readonly #turner: Turner;
  readonly #spin: number;
  readonly #watch: Watch;
  #immediate: ReturnType<typeof setImmediate> | undefined;
  #idleSince = 0;
  #spent = 0;
  #ticks = 0;
  #closed = false;

  /** `spin` in microseconds. */
  constructor(turner: Turner, wakeFd: number, spin: number) {
    this.#turner = turner;
    this.#spin = spin / 1000;
    this.#watch = native.watch(wakeFd, () => this.wake());
  }

  /** Takes a turn soon. */
  wake(): void {
    if (this.#immediate === undefined && !this.#closed) {
      this.#idleSince = 0;
      this.#immediate = setImmediate(this.#tick);
    }
  }

  readonly #tick = (): void => {
    if (this.#ticks > 0) {
      this.#ticks--;
      this.#again();
      return;
    }
    const start = native.starves ? performance.now() : 0;
    const found = this.#look();
    if (this.#closed) {
      return;
    }
    if (found > 0) {
      this.#idleSince = 0;
      this.#share(start);
      this.#again();
    } else if (this.#keepsLooking()) {
      this.#again();
    } else {
      this.#park();
    }
  };

  /**
   * Takes a turn, and while nobody else waits a few more until one finds something: a round of the
   * runtime costs more than that.
   */
  #look(): number {
    let found = this.#turner.turn();
    for (let i = 0; i < LOOKS && found === 0 && this.#spin > 0 && this.#turner.isQuiet; i++) {
      found = this.#turner.turn();
    }
    return found;
  }

  #again(): void {
    this.#immediate = setImmediate(this.#tick);
  }

  /** Lets the runtime's I/O through once turns have taken their share of the time. */
  #share(start: number): void {
    if (native.starves && (this.#spent += performance.now() - start) > FAIR_SHARE) {
      this.#spent = 0;
      this.#ticks = FAIR_TICKS;
    }
  }

  #keepsLooking(): boolean {
    if (this.#spin === 0) {
      return false;
    }
    const now = performance.now();
    if (this.#idleSince === 0) {
      this.#idleSince = now;
    }
    return now - this.#idleSince < this.#spin;
  }

  #park(): void {
    this.#idleSince = 0;
    this.#spent = 0;
    this.#immediate = undefined;
    if (!this.#turner.park()) {
      this.#again();
    }
  }

  ref(): void {
    this.#watch.ref();
  }

  unref(): void {
    this.#watch.unref();
  }

  /** Takes no turn any more. */
  close(): void {
    this.#closed = true;
    clearImmediate(this.#immediate);
    this.#watch.close();
  }
}
