import { setTimeout as sleep } from 'node:timers/promises';
import type { Hub, HubProcess } from '../hub.ts';
import { residentMegabytes } from '../resident.ts';

const EVERY_MS = 250;

interface Leg {
  readonly state: string;
  readonly reason: string | null;
}

/** What a proof reads of `/status`. */
export interface PipelineView extends Leg {
  readonly name: string;
  readonly sources: readonly Leg[];
  readonly sinks: readonly Leg[];
  /** How often the supervisor started it again. */
  readonly restarts: number;
  readonly totals: { readonly recordsIn: number; readonly delivered: number; readonly deadLettered: number };
}

/** Null while the hub does not answer. */
export async function statusOf(hub: Hub): Promise<PipelineView | null> {
  try {
    const response = await fetch(`http://127.0.0.1:${hub.apiPort}/status`, { signal: AbortSignal.timeout(5000) });
    return ((await response.json()) as { pipelines: PipelineView[] }).pipelines[0] ?? null;
  } catch {
    return null;
  }
}

/** Looks at a running hub again and again: its memory, and what it says of itself. */
export class Watch {
  mostMegabytes = 0;
  /** See `growthDuring`. */
  grownMegabytes = 0;
  deadLettered = 0;
  /** Why the pipeline was not simply running, each reason once, in the order in which they came. */
  readonly reasons = new Set<string>();
  #megabytes = 0;
  readonly #over: Promise<void>;

  constructor(hub: Hub, life: HubProcess) {
    this.#over = this.#look(hub, life);
  }

  /** Resolves when the hub has ended. */
  over(): Promise<void> {
    return this.#over;
  }

  /** Notes by how much the memory grew while that was under way. */
  async growthDuring(work: Promise<unknown>): Promise<void> {
    const before = this.#megabytes;
    await work;
    this.grownMegabytes = this.#megabytes - before;
  }

  async #look(hub: Hub, life: HubProcess): Promise<void> {
    while (life.alive) {
      this.#megabytes = (await residentMegabytes(life.pid)) ?? this.#megabytes;
      this.mostMegabytes = Math.max(this.mostMegabytes, this.#megabytes);
      const status = await statusOf(hub);
      if (status !== null && status.reason !== null) this.reasons.add(status.reason);
      this.deadLettered = status?.totals.deadLettered ?? this.deadLettered;
      await sleep(EVERY_MS);
    }
  }
}
