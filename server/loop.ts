/**
 * When turns are taken: at once while there is work; then the thread looks for some, where that comes
 * soon, and parks, to be woken through a descriptor.
 *
 * @module
 */
import { native, type Watch } from "../ffi/native.ts";

/** What a loop drives. */
export interface Turner {
  /** Takes a turn; returns how many events it found. */
  turn(): number;
  /** Sends what was written. */
  send(): void;
  /** Requests whose handlers wait for the runtime. */
  readonly pendingRequests: number;
  /** Waits so many microseconds for work; returns how many of them are left, 0 if none came. */
  wait(micros: number): number;
  /** Asks to be woken; false when there is work already. */
  park(): boolean;
  /** The descriptor that wakes, asked for once. */
  wakeFd(): number;
}

/** Milliseconds of turns after which the runtime's own I/O has waited long enough (Deno). */
const FAIR_SHARE = 0.5;
/** Milliseconds of turns after which the runtime goes round, which costs more than a turn. */
const MOST_WORK = 0.2;
/** Microseconds that are spent waiting for work before it does. */
const MOST_WAIT = 50;
/** Immediates that make Deno poll its I/O. */
const FAIR_TICKS = 61;
/** Milliseconds from the first server's start in which no client waits for what `watch()` loads. */
const BEGINNING = 100;
/** Milliseconds between two turns in that time. */
const PACE = 1;

/** Taken once, when a loop needs them: whoever puts his own in their place does not stop it. */
let setImmediate: typeof globalThis.setImmediate;
let clearImmediate: typeof globalThis.clearImmediate;

/** When the beginning is over. */
let begun: number | undefined;

/** Drives one server. */
export class Loop {
  /** While several servers run, none waits: the others may have work. */
  static #running = 0;
  readonly #turner: Turner;
  readonly #spin: number;
  /** While it is not there, a timer takes the place of parking and of immediates. */
  #watch: Watch | undefined;
  #immediate: ReturnType<typeof setImmediate> | undefined;
  /** Whether it is taking a turn, or going to. */
  #isAwake = false;
  /** Whether what is to come is not a turn: only what was written goes. */
  #sendsOnly = false;
  /** Requests that were pending when it parked. */
  #stillPending = 0;
  /** When a turn found nothing for the first time since one has found something. */
  #idleSince = 0;
  /** Whether to look for work: not where the last has come too late to be found by that. */
  #looks = true;
  /** Milliseconds of turns since the runtime's own I/O was let through. */
  #spent = 0;
  /** Immediates that are to pass for that. */
  #ticks = 0;
  #closed = false;

  /** `spin` in microseconds. */
  constructor(turner: Turner, spin: number) {
    this.#turner = turner;
    this.#spin = spin;
    Loop.#running++;
    this.#begin();
  }

  /** Until then turns are taken at a steady pace: nothing has to be loaded for that. */
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

  /** Sends soon what was written between turns. One that is to come sends it anyway. */
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
      // After a response that has ended a client may ask again.
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

  /** Takes turns while there is work, or some comes soon, and nobody waits for the runtime. */
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

  /** Lets the runtime's I/O through once turns have taken their share of the time. */
  #share(): void {
    if (native.starves && this.#spent > FAIR_SHARE) {
      this.#spent = 0;
      this.#ticks = FAIR_TICKS;
    }
  }

  /** While handlers wait for the runtime it is that which comes first. */
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

  /** Takes no turn any more. */
  close(): void {
    Loop.#running--;
    this.#closed = true;
    if (this.#immediate !== undefined) {
      clearImmediate(this.#immediate);
    }
    this.#watch?.close();
  }
}
