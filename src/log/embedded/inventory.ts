import { join } from 'node:path';
import { SluiceError } from '../../api/index.ts';
import type { FileSystem } from './file-system.ts';
import { listIfThere } from './files.ts';
import { Journal } from './journal.ts';
import type { JournalState } from './journal-state.ts';
import { corruption } from './log-errors.ts';
import type { Fault } from './log-state.ts';
import { isSafeName, journalsFolder, parseSegmentName, topicFolder, topicsFolder } from './paths.ts';
import { cutTopic } from './recovery.ts';
import { readTopicFile, type TopicFile } from './topic-file.ts';

/** What a data folder holds, after everything that a crash left was cut. */
export interface Inventory {
  readonly journals: Map<string, Journal>;
  /** Pipelines whose journal cannot be read. */
  readonly damaged: Map<string, Fault>;
  readonly topics: Map<string, TopicFile>;
  /** Topics that cannot be used; some have no file in `topics`. */
  readonly refused: Map<string, Fault>;
}

/** Recovers every journal and every topic of the folder, whoever runs now. */
export async function takeInventory(fileSystem: FileSystem, dataDir: string): Promise<Inventory> {
  const inventory: Inventory = { journals: new Map(), damaged: new Map(), topics: new Map(), refused: new Map() };
  try {
    for (const pipeline of await namesIn(fileSystem, journalsFolder(dataDir)))
      await recoverJournal(fileSystem, dataDir, { inventory, pipeline });
    for (const name of await namesIn(fileSystem, topicsFolder(dataDir)))
      await recoverTopic(fileSystem, dataDir, { inventory, name });
    return inventory;
  } catch (error) {
    await closeInventory(inventory);
    throw error;
  }
}

export async function closeInventory({ journals }: Inventory): Promise<void> {
  for (const journal of journals.values()) await journal.close();
}

export async function namesIn(fileSystem: FileSystem, folder: string): Promise<string[]> {
  return (await listIfThere(fileSystem, folder)).filter(isSafeName).sort();
}

/** Cuts the topics of one owner. Throws `LOG_CORRUPT`. */
export async function cutTopicsOf(
  fileSystem: FileSystem,
  dataDir: string,
  { topics, state }: { readonly topics: readonly TopicFile[]; readonly state: JournalState },
): Promise<void> {
  for (const topic of topics) await cutTopic(fileSystem, dataDir, { topic, ends: state.ends.get(topic.id) });
}

async function recoverJournal(
  fileSystem: FileSystem,
  dataDir: string,
  { inventory, pipeline }: { readonly inventory: Inventory; readonly pipeline: string },
): Promise<void> {
  try {
    const journal = await Journal.recover({ fileSystem, dataDir, pipeline });
    if (journal !== null) inventory.journals.set(pipeline, journal);
  } catch (error) {
    inventory.damaged.set(pipeline, faultOf(error));
  }
}

async function recoverTopic(
  fileSystem: FileSystem,
  dataDir: string,
  { inventory, name }: { readonly inventory: Inventory; readonly name: string },
): Promise<void> {
  const { journals, damaged, topics, refused } = inventory;
  try {
    const topic = await readTopicFile(fileSystem, dataDir, name);
    if (topic === null) {
      if (!(await holdsSegments(fileSystem, dataDir, name))) return;
      throw corruption(`topic "${name}"`, 'it has segments but no topic.json');
    }
    topics.set(name, topic);
    const journal = journals.get(topic.owner);
    const why = damaged.get(topic.owner)?.message ?? 'it is missing';
    if (journal === undefined)
      throw corruption(`topic "${name}"`, `the journal of its pipeline "${topic.owner}" cannot be used (${why})`);
    await cutTopicsOf(fileSystem, dataDir, { topics: [topic], state: journal.state });
  } catch (error) {
    refused.set(name, faultOf(error));
  }
}

/** A folder without a topic's file is what a crash leaves while one is made; with segments somebody took the file away. */
async function holdsSegments(fileSystem: FileSystem, dataDir: string, name: string): Promise<boolean> {
  const folder = topicFolder(dataDir, name);
  for (const partition of await namesIn(fileSystem, folder)) {
    if (!/^\d+$/.test(partition)) continue;
    const files = await listIfThere(fileSystem, join(folder, partition));
    if (files.some((file) => parseSegmentName(file) !== null)) return true;
  }
  return false;
}

/** Only damage is a fault of a part; anything else is one of the whole folder, and thrown. */
function faultOf(error: unknown): Fault {
  if (error instanceof SluiceError && error.code === 'LOG_CORRUPT') return { code: error.code, message: error.message };
  throw error;
}
