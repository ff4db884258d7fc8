/**
 * When turns are taken: at once while there is work; then the thread polls for more, if that
 * usually arrives soon, and parks, to be woken through a descriptor.
 *
 * @module
 */
import { native, type Watch } from "../ffi/native.ts";

/** What a loop drives. */
export interface Turner {
  /** Takes a turn; returns the number of events. */
  turn(): number;
  /** Sends what was written. */
  send(): void;
  /** Requests whose handlers wait for the runtime. */
  readonly pendingRequests: number;
  /** Waits that many microseconds for work; returns how many are left, 0 if none arrived. */
  wait(micros: number): number;
  /** Asks to be woken; false if there is work already. */
  park(): boolean;
  /** The descriptor that wakes, requested once. */
  wakeFd(): number;
}

/** Milliseconds of turns after which the runtime's own I/O has waited long enough (Deno). */
const FAIR_SHARE = 0.5;
/**
 * Milliseconds of turns after which the runtime's loop gets a pass, which costs more than a turn.
 */
const MOST_WORK = 0.2;
/** Microseconds spent waiting for work before that. */
const MOST_WAIT = 50;
/** Immediates that make Deno poll its I/O. */
const FAIR_TICKS = 61;
/** Milliseconds after the first server's start in which `watch()` loads nothing. */
const BEGINNING = 100;
/** Milliseconds between turns in that time. */
const PACE = 1;

/** Looked up once, when a loop needs them: replacing the globals does not stop it. */
let setImmediate: typeof globalThis.setImmediate;
let clearImmediate: typeof globalThis.clearImmediate;

/** When that time is over. */
let begun: number | undefined;

/** Drives one server. */
export class Loop {
  /** With several servers running, none waits: the others may have work. */
  static #running = 0;
  readonly #turner: Turner;
  readonly #spin: number;
  /** Until it exists, a timer replaces parking and immediates. */
  #watch: Watch | undefined;
  #immediate: ReturnType<typeof setImmediate> | undefined;
  /** Whether it is taking a turn, or about to. */
  #isAwake = false;
  /** Whether only a flush is scheduled, not a turn. */
  #sendsOnly = false;
  /** Requests pending when it parked. */
  #stillPending = 0;
  /** When the first empty turn after the last successful one took place. */
  #idleSince = 0;
  /** Whether to poll for work: not if the last arrived too late for that. */
  #looks = true;
  /** Milliseconds of turns since the runtime's own I/O had its chance. */
  #spent = 0;
  /** Immediates left to pass for that. */
  #ticks = 0;
  #closed = false;

  /** `spin` in microseconds. */
  constructor(turner: Turner, spin: number) {
    this.#turner = turner;
    this.#spin = spin;
    Loop.#running++;
    this.#begin();
  }

  /** Until then turns are taken at a steady pace, for which nothing must be loaded. */
  #begin(): void {
    begun ??= performance.now() + BEGINNING;
    if (native.after !== undefined && performance.now() < begun) {
      native.after(PACE, this.#pace);
    } else {
      this.#settle();
    }
  }

  get #isBeginning(): boolean {
    return this.#watch === undefined && !this.#closed;
  }

  readonly #pace = (): void => {
    if (this.#isBeginning) {
      this.#turner.turn();
    }
    if (this.#isBeginning) {
      this.#begin();
    }
  };

  /** From now on the thread parks. */
  #settle(): Watch {
    setImmediate ??= globalThis.setImmediate;
    clearImmediate ??= globalThis.clearImmediate;
    this.#watch = native.watch(this.#turner.wakeFd(), this.#woken);
    this.wake();
    return this.#watch;
  }

  /** Called by the runtime: there is work. */
  readonly #woken = (): void => {
    this.#sendsOnly = false;
    if (this.#isParked) {
      this.#looks = (performance.now() - this.#idleSince) * 1000 < this.#spin + MOST_WAIT;
      this.#isAwake = true;
      this.#tick();
    }
  };

  /** Takes a turn soon. */
  wake(): void {
    this.#sendsOnly = false;
    if (this.#isParked) {
      this.#again();
    }
  }

  /** Schedules a flush of output written between turns, unless a turn is scheduled. */
  send(): void {
    if (this.#isParked) {
      this.#sendsOnly = true;
      this.#again();
    }
  }

  readonly #tick = (): void => {
    if (this.#sendsOnly) {
      this.#sendsOnly = false;
      this.#turner.send();
      // After a completed response a client may send another request.
      if (this.#turner.pendingRequests === this.#stillPending) {
        this.#park();
        return;
      }
    }
    if (this.#ticks > 0) {
      this.#ticks--;
      this.#again();
      return;
    }
    const found = this.#work();
    if (this.#closed) {
      return;
    }
    if (found > 0) {
      this.#share();
    }
    if (this.#idleSince === 0 || this.#keepsLooking()) {
      this.#again();
    } else {
      this.#park();
    }
  };

  /**
   * Takes turns while there is work, or some arrives soon, and no handler waits for the runtime.
   */
  #work(): number {
    let found = 0;
    let events: number;
    let idleSince = this.#idleSince;
    let wait = this.#looks ? Math.min(this.#spin, MOST_WAIT) : 0;
    let now = performance.now();
    const end = now + MOST_WORK;
    do {
      const start = now;
      events = this.#turner.turn();
      now = performance.now();
      this.#spent += now - start;
      found += events;
      idleSince = events > 0 ? 0 : idleSince || now;
      if (this.#turner.pendingRequests > 0 || Loop.#running > 1) {
        break;
      }
      if (events === 0 && wait > 0) {
        wait = this.#turner.wait(wait);
        now = performance.now();
      }
    } while ((events > 0 || wait > 0) && now < end);
    this.#idleSince = idleSince;
    return found;
  }

  get #isParked(): boolean {
    return this.#watch !== undefined && !this.#isAwake && !this.#closed;
  }

  #again(): void {
    this.#isAwake = true;
    this.#immediate = setImmediate(this.#tick);
  }

  /** Gives way to the runtime's I/O once turns have used their share of time. */
  #share(): void {
    if (native.starves && this.#spent > FAIR_SHARE) {
      this.#spent = 0;
      this.#ticks = FAIR_TICKS;
    }
  }

  /** While handlers wait for the runtime, it has priority. */
  #keepsLooking(): boolean {
    return this.#looks && this.#turner.pendingRequests === 0 &&
      (performance.now() - this.#idleSince) * 1000 < this.#spin;
  }

  #park(): void {
    this.#spent = this.#ticks = 0;
    this.#stillPending = this.#turner.pendingRequests;
    this.#isAwake = false;
    if (!this.#turner.park()) {
      this.#again();
    }
  }

  ref(): void {
    this.#watch?.ref();
  }

  unref(): void {
    if (!this.#closed) {
      (this.#watch ?? this.#settle()).unref();
    }
  }

  /** Takes no more turns. */
  close(): void {
    Loop.#running--;
    this.#closed = true;
    if (this.#immediate !== undefined) {
      clearImmediate(this.#immediate);
    }
    this.#watch?.close();
  }
}
