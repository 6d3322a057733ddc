import type { FileSystem } from './file-system.ts';
import type { Inventory } from './inventory.ts';
import { Journal } from './journal.ts';
import { EMPTY_PARTITION } from './journal-state.ts';
import type { Fault, PipelineLogPlan } from './log-state.ts';
import { partitionFolder, topicFolder, topicsFolder } from './paths.ts';
import { newTopicId, writeTopicFile, type TopicFile } from './topic-file.ts';

/** Dead letters are few, and people read them in their order. */
const DEAD_LETTER_PARTITIONS = 1;

interface WantedTopic {
  readonly name: string;
  readonly partitions: number;
}

interface PlanPlace {
  readonly fileSystem: FileSystem;
  readonly dataDir: string;
  readonly inventory: Inventory;
}

/** Makes the folder what the plans ask for: journals, topics, more partitions, other owners. Returns why pipelines cannot run. */
export async function applyPlans(
  place: PlanPlace,
  plans: readonly PipelineLogPlan[],
): Promise<ReadonlyMap<string, Fault>> {
  const faults = new Map<string, Fault>();
  const writers = new Map<string, string>();
  for (const plan of plans) {
    const fault = await applyPlan(place, plan, writers);
    if (fault !== null) faults.set(plan.pipeline, fault);
  }
  return faults;
}

async function applyPlan(place: PlanPlace, plan: PipelineLogPlan, writers: Map<string, string>): Promise<Fault | null> {
  const { journals, damaged, refused } = place.inventory;
  const { pipeline } = plan;
  const damage = damaged.get(pipeline) ?? refused.get(plan.topic.name);
  if (damage !== undefined) return damage;
  let journal = journals.get(pipeline);
  if (journal === undefined) {
    journal = await Journal.create({ ...place, pipeline });
    journals.set(pipeline, journal);
  }
  for (const wanted of topicsWrittenBy(plan)) {
    const other = writers.get(wanted.name);
    if (other !== undefined) return refusal(wanted.name, `pipelines "${other}" and "${pipeline}" both write it`);
    writers.set(wanted.name, pipeline);
    const fault = refused.get(wanted.name) ?? (await ensureTopic(place, journal, { pipeline, wanted }));
    if (fault !== null) return fault;
  }
  return null;
}

function topicsWrittenBy({ topic, writesTopic, deadLetter }: PipelineLogPlan): WantedTopic[] {
  return [
    ...(writesTopic ? [topic] : []),
    ...[deadLetter?.topic, deadLetter?.parked].flatMap((name) =>
      name === undefined ? [] : [{ name, partitions: DEAD_LETTER_PARTITIONS }],
    ),
  ];
}

/** The journal knows a topic's ends before its file names the journal's pipeline as the owner. */
async function ensureTopic(
  { fileSystem, dataDir, inventory }: PlanPlace,
  journal: Journal,
  { pipeline, wanted }: { readonly pipeline: string; readonly wanted: WantedTopic },
): Promise<Fault | null> {
  const { name } = wanted;
  const known = inventory.topics.get(name);
  const partitions = Math.max(known?.partitions ?? 0, wanted.partitions);
  if (known !== undefined && wanted.partitions < known.partitions && wanted.partitions !== DEAD_LETTER_PARTITIONS) {
    const asked = `it has ${known.partitions} partitions and the pipeline asks for ${wanted.partitions}`;
    return refusal(name, `${asked}; partitions only grow, since records stay where their keys put them`);
  }
  if (known?.owner === pipeline && known.partitions === partitions) return null;
  const topic: TopicFile = { version: 1, name, id: known?.id ?? newTopicId(), partitions, owner: pipeline };
  await makePartitionFolders(fileSystem, dataDir, topic);
  const ends = known === undefined ? [] : (inventory.journals.get(known.owner)?.state.ends.get(known.id) ?? []);
  await journal.append({
    ends: Array.from({ length: partitions }, (_, partition) => {
      return [topic.id, partition, ends[partition] ?? EMPTY_PARTITION] as const;
    }),
  });
  await writeTopicFile(fileSystem, dataDir, topic);
  inventory.topics.set(name, topic);
  return null;
}

async function makePartitionFolders(fileSystem: FileSystem, dataDir: string, topic: TopicFile): Promise<void> {
  for (let partition = 0; partition < topic.partitions; partition++)
    await fileSystem.makeFolder(partitionFolder(dataDir, topic.name, partition));
  await fileSystem.syncFolder(topicFolder(dataDir, topic.name));
  await fileSystem.syncFolder(topicsFolder(dataDir));
}

function refusal(topic: string, why: string): Fault {
  return { code: 'TOPIC_CHANGED', message: `using topic "${topic}": ${why}` };
}
