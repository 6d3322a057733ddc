import type { NewEmit } from './emit-flight.ts';
import type { EmitLane } from './emit-lane.ts';

/** The lane of what writes to no partition of the topic: none of them can hold it up. */
const NO_PARTITION = -1;

/** Which lane an emit goes to. */
export interface EmitLanes {
  readonly all: Iterable<EmitLane>;
  /** Null: those before it have to settle first. */
  enter(emit: NewEmit): EmitLane | null;
  /** It is settled. */
  leave(emit: Pick<NewEmit, 'lines'>): void;
}

/** One commit at a time, whatever it is for. */
export class OneLane implements EmitLanes {
  readonly all: readonly [EmitLane];

  constructor(lane: EmitLane) {
    this.all = [lane];
  }

  enter(): EmitLane {
    return this.all[0];
  }

  leave(): void {
    // There is no other lane to go to.
  }
}

interface Home {
  readonly lane: EmitLane;
  emits: number;
}

/** Commits of each line for themselves, however many lines go on meanwhile. An emit is of one line. */
export class LineLanes implements EmitLanes {
  readonly #create: () => EmitLane;
  readonly #lanes = new Map<string, EmitLane>();

  constructor(create: () => EmitLane) {
    this.#create = create;
  }

  get all(): Iterable<EmitLane> {
    return this.#lanes.values();
  }

  enter({ lines }: NewEmit): EmitLane {
    const line = lines[0]!;
    let lane = this.#lanes.get(line);
    if (lane === undefined) this.#lanes.set(line, (lane = this.#create()));
    return lane;
  }

  leave(): void {
    // Its line keeps its lane.
  }
}

/**
 * One commit at a time for each partition of the topic, so that one without a leader holds up only its own lane and what is in line there. All that waits
 * of a line is in one lane, its home: that of the first emit of it. A flight may hold records of any partition; lanes are about order.
 */
export class PartitionLanes implements EmitLanes {
  readonly #create: () => EmitLane;
  readonly #lanes = new Map<number, EmitLane>();
  /** Of the lines of which something waits. */
  readonly #homes = new Map<string, Home>();

  constructor(create: () => EmitLane) {
    this.#create = create;
  }

  get all(): Iterable<EmitLane> {
    return this.#lanes.values();
  }

  enter(emit: NewEmit): EmitLane | null {
    const lane = this.#laneFor(emit);
    if (lane === null) return null;
    for (const line of emit.lines) {
      const home = this.#homes.get(line);
      if (home === undefined) this.#homes.set(line, { lane, emits: 1 });
      else home.emits++;
    }
    return lane;
  }

  leave({ lines }: Pick<NewEmit, 'lines'>): void {
    for (const line of lines) {
      const home = this.#homes.get(line);
      if (home !== undefined && --home.emits === 0) this.#homes.delete(line);
    }
  }

  #laneFor({ records, rejected, partition, lines }: NewEmit): EmitLane | null {
    const isWriting = (records?.count ?? 0) > 0 || rejected.length > 0;
    let found: EmitLane | null = null;
    for (const line of lines) {
      const home: EmitLane | null = this.#homes.get(line)?.lane ?? found;
      if (found !== null && home !== found) return null;
      found = home;
    }
    if (found === null) return this.#laneOf(isWriting ? partition : NO_PARTITION);
    return isWriting && found === this.#lanes.get(NO_PARTITION) ? null : found;
  }

  #laneOf(partition: number): EmitLane {
    let lane = this.#lanes.get(partition);
    if (lane === undefined) this.#lanes.set(partition, (lane = this.#create()));
    return lane;
  }
}
