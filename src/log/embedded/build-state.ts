import type { Inventory } from './inventory.ts';
import { EMPTY_PARTITION, type JournalState } from './journal-state.ts';
import type { LogLimits } from './limits.ts';
import type {
  EmbeddedLogState,
  Fault,
  PipelineLogPlan,
  PipelineLogState,
  Retention,
  TopicLogState,
} from './log-state.ts';
import { Marks } from './marks.ts';

interface StateParts {
  readonly dataDir: string;
  readonly limits: LogLimits;
  readonly inventory: Inventory;
  readonly plans: readonly PipelineLogPlan[];
  readonly faults: ReadonlyMap<string, Fault>;
}

/** What all workers get: every topic of the folder with its ends, and what retention has to leave. */
export function buildState(parts: StateParts): EmbeddedLogState {
  const { dataDir, limits, inventory, plans } = parts;
  let slot = 0;
  const topics: TopicLogState[] = [...inventory.topics.values()].map(({ name, id, partitions, owner }) => {
    const first = slot;
    slot += partitions;
    return {
      name,
      id,
      partitions,
      owner,
      slot: first,
      retention: retentionOf(plans, name, owner),
      fault: inventory.refused.get(name) ?? null,
      fixedFloors: fixedFloors(parts, { name, id, partitions }),
    };
  });
  let floor = 0;
  const pipelines: PipelineLogState[] = plans.map((plan) => ({
    pipeline: plan.pipeline,
    fault: parts.faults.get(plan.pipeline) ?? null,
    sinks: plan.sinks.map(({ name, topic }) => {
      const first = floor;
      floor += topics.find((one) => one.name === topic)?.partitions ?? 0;
      return { sink: name, topic, slot: first };
    }),
  }));
  const counts = { partitions: slot, topics: topics.length, floors: floor, pipelines: pipelines.length };
  const shared = Marks.allocate(counts);
  const keepsEverything = inventory.damaged.size > 0;
  return { dataDir, limits, shared, counts, topics, pipelines, keepsEverything };
}

/** Where the topics of one owner begin and end, for all threads. */
export function publishEnds(state: EmbeddedLogState, marks: Marks, owner: string, journal: JournalState): void {
  for (const [number, topic] of state.topics.entries()) {
    if (topic.owner !== owner || topic.fault !== null) continue;
    const ends = journal.ends.get(topic.id) ?? [];
    for (let partition = 0; partition < topic.partitions; partition++)
      marks.setPartition(topic.slot + partition, ends[partition] ?? EMPTY_PARTITION);
    marks.announce(number);
  }
}

function retentionOf(plans: readonly PipelineLogPlan[], name: string, owner: string): Retention | null {
  const plan = plans.find(({ pipeline }) => pipeline === owner);
  if (plan === undefined) return null;
  const { topic, writesTopic, deadLetter } = plan;
  if (writesTopic && topic.name === name)
    return { kind: 'topic', maxMs: topic.retentionMs, maxBytes: topic.retentionBytes };
  const isKept = deadLetter !== null && [deadLetter.topic, deadLetter.parked].includes(name);
  return isKept ? { kind: 'dead_letter', maxBytes: deadLetter.maxBytes } : null;
}

/** What every saved sink of the folder still needs, except those that this run itself may move on. */
function fixedFloors(
  { inventory, plans }: StateParts,
  topic: { readonly name: string; readonly id: string; readonly partitions: number },
): (number | null)[] {
  const floors = new Array<number | null>(topic.partitions).fill(null);
  for (const [pipeline, { state }] of inventory.journals) {
    const own = plans.find((plan) => plan.pipeline === pipeline)?.sinks ?? [];
    for (const [sink, { id, next }] of state.sinks) {
      if (id !== topic.id || own.some(({ name, topic: read }) => name === sink && read === topic.name)) continue;
      for (const partition of floors.keys()) {
        const needed = next[partition] ?? 0;
        floors[partition] = Math.min(floors[partition] ?? needed, needed);
      }
    }
  }
  return floors;
}
