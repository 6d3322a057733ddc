/** Tells which lines are of one event. States are numbers: what belongs together hangs on nothing but the lines from the first one of the event on. */
export interface EventRules {
  /** The state behind the first line of an event, which is [start, stop). */
  begin(bytes: Uint8Array, start: number, stop: number): number;
  /** Behind another line; `NEXT_EVENT` when it is not of this event. */
  next(state: number, bytes: Uint8Array, start: number, stop: number): number;
  /** No line can follow. */
  isLast(state: number): boolean;
}

export const NEXT_EVENT = -1;
