/** What the thread that waits for a descriptor is given. */
export interface ReadableThreadData {
  readonly descriptor: number;
  /** One number: a `readableState`. */
  readonly state: Int32Array;
}

export const readableState = { resting: 0, watching: 1, stopped: 2 };
