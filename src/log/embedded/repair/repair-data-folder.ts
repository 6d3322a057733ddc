import { dirname, join, relative } from 'node:path';
import { describeError } from '../../../api/index.ts';
import type { FileSystem } from '../file-system.ts';
import { listIfThere, makeDurableFolder, readWhole, withFile, writeNew } from '../files.ts';
import { namesIn } from '../inventory.ts';
import { Journal, readJournal } from '../journal.ts';
import { EMPTY_PARTITION, JournalState } from '../journal-state.ts';
import { nodeFileSystem } from '../node-file-system.ts';
import { journalFolder, journalsFolder, partitionFolder, topicsFolder } from '../paths.ts';
import { readTopicFile, topicFilePath, writeTopicFile, type TopicFile } from '../topic-file.ts';
import { fillHole, isFillable } from './fill-hole.ts';
import type { Hole } from './holes.ts';
import { salvageJournal } from './salvage-journal.ts';
import { salvageTopic, segmentsThere } from './salvage-topic.ts';
import { surveyPartition, type SurveyedSegment } from './survey-partition.ts';

export interface RepairFinding {
  /** A journal's folder, or the file of a topic or of a segment. */
  readonly path: string;
  readonly fault: string;
  /** What is done about it, and what is lost by it; null when nothing can be done here. */
  readonly remedy: string | null;
}

export interface RepairOptions {
  readonly dataDir: string;
  /** False: only tells what it would do. */
  readonly execute: boolean;
  /** The folder below `damaged` where bytes are kept that are written over. */
  readonly keepIn: string;
  readonly fileSystem?: FileSystem;
}

/**
 * Mends a data folder so that every topic can be read and written again, for a caller that holds its lock: journals are put together from their good frames, batches that
 * cannot be read give way to empty ones with their offsets. What was damaged is kept aside first. A second call finds nothing.
 */
export function repairDataFolder(options: RepairOptions): AsyncGenerator<RepairFinding> {
  return new FolderRepair(options).run();
}

interface JournalFound {
  readonly state: JournalState;
  readonly generation: number;
  /** Are its ends all that was committed? */
  readonly isWhole: boolean;
}

class FolderRepair {
  readonly #options: RepairOptions;
  readonly #fileSystem: FileSystem;
  readonly #journals = new Map<string, JournalFound>();
  readonly #topics = new Map<string, TopicFile>();
  /** Pipelines whose journal nothing can be done about: their topics stay as they are. */
  readonly #refused = new Set<string>();
  /** Pipelines whose journal is written anew. */
  readonly #replaced = new Set<string>();

  constructor(options: RepairOptions) {
    this.#options = options;
    this.#fileSystem = options.fileSystem ?? nodeFileSystem;
  }

  async *run(): AsyncGenerator<RepairFinding> {
    const { dataDir } = this.#options;
    for (const pipeline of await namesIn(this.#fileSystem, journalsFolder(dataDir))) yield* this.#readJournal(pipeline);
    yield* this.#readTopics();
    for (const topic of this.#topics.values()) yield* this.#mendTopic(topic);
    if (!this.#options.execute) return;
    for (const pipeline of this.#replaced) await this.#replaceJournal(pipeline);
  }

  async *#readJournal(pipeline: string): AsyncGenerator<RepairFinding> {
    const { dataDir } = this.#options;
    const path = journalFolder(dataDir, pipeline);
    try {
      const loaded = await readJournal({ fileSystem: this.#fileSystem, dataDir, pipeline });
      if (loaded !== null) this.#journals.set(pipeline, { ...loaded, isWhole: true });
      return;
    } catch (error) {
      const fault = describeError(error);
      try {
        const { state, generation, losses, isEmpty } = await salvageJournal(this.#fileSystem, path);
        this.#journals.set(pipeline, { state, generation, isWhole: false });
        this.#replaced.add(pipeline);
        const lost = losses.length > 0 ? `; ${losses.join(', ')} are lost` : '';
        yield { path, fault, remedy: `${isEmpty ? MADE_FROM_NOTHING : PUT_TOGETHER}${lost}` };
      } catch (refused) {
        this.#refused.add(pipeline);
        yield { path, fault: describeError(refused), remedy: null };
      }
    }
  }

  async *#readTopics(): AsyncGenerator<RepairFinding> {
    const { dataDir, execute } = this.#options;
    const damaged = new Map<string, string>();
    for (const name of await namesIn(this.#fileSystem, topicsFolder(dataDir))) {
      try {
        const topic = await readTopicFile(this.#fileSystem, dataDir, name);
        if (topic !== null) this.#topics.set(name, topic);
        else if ((await segmentsThere(this.#fileSystem, dataDir, name)).length > 0) damaged.set(name, 'it is missing');
      } catch (error) {
        damaged.set(name, describeError(error));
      }
    }
    for (const [name, topic] of this.#topics)
      if (!this.#isKnown(topic)) damaged.set(name, 'no journal knows such a topic');
    const claimed = new Set([...this.#topics.values()].filter((one) => !damaged.has(one.name)).map(({ id }) => id));
    const journals = new Map([...this.#journals].map(([pipeline, { state }]) => [pipeline, state]));
    for (const [name, fault] of damaged) {
      const path = topicFilePath(dataDir, name);
      const topic = await salvageTopic(this.#fileSystem, dataDir, { name, claimed, journals });
      const remedy =
        topic && `made from the journal of pipeline "${topic.owner}": id ${topic.id}, ${topic.partitions} partitions`;
      // A journal that is gone, or older than the topic: its owner gets one that knows it.
      if (topic === null && this.#topics.has(name)) continue;
      yield { path, fault, remedy };
      if (topic === null) continue;
      this.#topics.set(name, topic);
      if (!execute) continue;
      await this.#keep(path);
      await writeTopicFile(this.#fileSystem, dataDir, topic);
    }
  }

  #isKnown({ id, owner, partitions }: TopicFile): boolean {
    return (this.#journals.get(owner)?.state.ends.get(id)?.length ?? 0) >= partitions;
  }

  async *#mendTopic({ name, id, owner, partitions }: TopicFile): AsyncGenerator<RepairFinding> {
    const { dataDir } = this.#options;
    if (this.#refused.has(owner)) return;
    if (!this.#journals.has(owner)) {
      const path = journalFolder(dataDir, owner);
      this.#journals.set(owner, { state: new JournalState(), generation: 0, isWhole: false });
      this.#replaced.add(owner);
      yield { path, fault: `it is missing, and topic "${name}" needs it`, remedy: MADE_FROM_NOTHING };
    }
    const { state, isWhole } = this.#journals.get(owner)!;
    const ends = state.ends.get(id) ?? [];
    for (let partition = 0; partition < partitions; partition++) {
      const known = ends[partition];
      const isCertain = isWhole && known !== undefined;
      const folder = partitionFolder(dataDir, name, partition);
      const { segments, end } = await surveyPartition(this.#fileSystem, folder, {
        known: known ?? EMPTY_PARTITION,
        isCertain,
      });
      for (const segment of segments) yield* this.#mendSegment(segment);
      if (isCertain) continue;
      state.apply({ sequence: state.sequence + 1, ends: [[id, partition, end]] });
      if (isWhole && !this.#replaced.has(owner)) {
        this.#replaced.add(owner);
        const fault = `it does not know where topic "${name}" ends`;
        yield {
          path: journalFolder(dataDir, owner),
          fault,
          remedy: 'the topic ends with the last batch that is there',
        };
      }
    }
  }

  async *#mendSegment({ path, isMissing, holes }: SurveyedSegment): AsyncGenerator<RepairFinding> {
    for (const hole of holes) {
      const isMendable = isFillable(hole);
      yield { path, fault: faultOf(hole, isMissing), remedy: isMendable ? remedyFor(hole) : null };
      if (!isMendable || !this.#options.execute) continue;
      await this.#keep(path, hole);
      if (isMissing) await makeDurableFolder(this.#fileSystem, dirname(path));
      await withFile(this.#fileSystem, path, isMissing ? 'create' : 'write', (file) => fillHole(file, hole));
      if (isMissing) await this.#fileSystem.syncFolder(dirname(path));
    }
  }

  async #replaceJournal(pipeline: string): Promise<void> {
    const { dataDir } = this.#options;
    const folder = journalFolder(dataDir, pipeline);
    for (const name of await listIfThere(this.#fileSystem, folder)) await this.#keep(join(folder, name));
    const { state, generation } = this.#journals.get(pipeline)!;
    await Journal.replace({ fileSystem: this.#fileSystem, dataDir, pipeline }, state, generation);
  }

  /** Copies a file, or the bytes of a hole, to where it is kept. */
  async #keep(path: string, hole?: Hole): Promise<void> {
    const { dataDir, keepIn } = this.#options;
    const there = await listIfThere(this.#fileSystem, dirname(path));
    if (!there.some((name) => join(dirname(path), name) === path)) return;
    const bytes = await readWhole(this.#fileSystem, path);
    const copy = join(dataDir, 'damaged', keepIn, relative(dataDir, path));
    await makeDurableFolder(this.#fileSystem, dirname(copy));
    if (hole === undefined) await writeNew(this.#fileSystem, copy, bytes);
    else await writeNew(this.#fileSystem, `${copy}.${hole.at}`, bytes.subarray(hole.at, hole.at + hole.byteLength));
    await this.#fileSystem.syncFolder(dirname(copy));
  }
}

const PUT_TOGETHER =
  'put together from what can be read: sources and sinks stand where they stood, or somewhat before, and repeat what lies between';
const MADE_FROM_NOTHING =
  'made anew from the records that are there: nothing tells where sources and sinks stood, they begin as new ones do unless `sluice offsets import` or `set` says where';

function faultOf({ at, byteLength }: Hole, isMissing: boolean): string {
  return isMissing ? 'the file is missing' : `no batch can be read in ${byteLength} bytes from byte ${at} on`;
}

function remedyFor({ from, to }: Hole): string {
  const offsets = to - from === 1 ? `offset ${from} is` : `offsets ${from} to ${to - 1} are`;
  return `${offsets} given up: an empty batch takes their place`;
}
