/**
 * Where the bytes of a response are put when it is made: at once where the library takes them from,
 * so that they are copied only once more.
 *
 * @module
 */

/** Bytes that stand in a writer's output memory, ahead of the command that sends them. */
export interface Placed {
  readonly at: number;
  readonly size: number;
  /** How often the writer had made way when they were put there: it must not have done so since. */
  readonly epoch: number;
  /** Whose memory it is. */
  readonly holder: Holder;
}

/** Whose memory it is. */
export interface Holder {
  /** Puts bytes there, if there is room. */
  place(bytes: Uint8Array): Placed | undefined;
}

let current: Holder | undefined;

/** From now on responses are made for this one. */
export function placeAt(holder: Holder): void {
  current = holder;
}

/** No responses are made for it any more. */
export function placeNoMoreAt(holder: Holder): void {
  if (current === holder) {
    current = undefined;
  }
}

/** Puts bytes where they are sent from, if a server that runs has room for them. */
export function place(bytes: Uint8Array): Placed | undefined {
  return current?.place(bytes);
}
