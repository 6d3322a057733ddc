import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { SluiceError, type Clock, type Logger } from '../../api/index.ts';
import type { SavedChanges } from '../saved-changes.ts';
import { applyPlans } from './apply-plans.ts';
import { buildState, publishEnds } from './build-state.ts';
import { changeFrame } from './change-state.ts';
import { publishFloors } from './embedded-log.ts';
import type { FileSystem } from './file-system.ts';
import { makeDurableFolder, readWhole, replaceFile } from './files.ts';
import { closeInventory, cutTopicsOf, takeInventory } from './inventory.ts';
import { closing, Journal, type FrameContent } from './journal.ts';
import type { JournalState } from './journal-state.ts';
import { DEFAULT_LIMITS, type LogLimits } from './limits.ts';
import { lockFolder, type LockFolder, type FolderLock } from './lock.ts';
import { corruption, isMissing, logError } from './log-errors.ts';
import type { EmbeddedLogState, PipelineLogPlan } from './log-state.ts';
import { Marks } from './marks.ts';
import { nodeFileSystem } from './node-file-system.ts';
import { journalsFolder, topicsFolder } from './paths.ts';

const HUB_ID_NAME = 'hub-id';
const HUB_ID_BYTES = 6;

export interface DataFolderOptions {
  readonly dataDir: string;
  /** Overrides the id that is made once in the folder. */
  readonly hubId: string | null;
  readonly clock: Clock;
  readonly log: Logger;
  readonly fileSystem?: FileSystem;
  readonly lock?: LockFolder;
  /** Sizes other than the usual ones. */
  readonly limits?: Partial<LogLimits>;
}

/** A data folder in the hands of this process, its topics recovered by `prepare` before any worker starts. */
export interface DataFolder {
  readonly hubId: string;
  readonly dataDir: string;
  /** Recovers every topic of the folder and makes what the plans ask for. What cannot be used fails when its pipeline opens its log. */
  prepare(plans: readonly PipelineLogPlan[]): Promise<EmbeddedLogState>;
  /** After the worker of these pipelines is gone: what it left is cut, and their logs may be opened again. Throws `LOG_CORRUPT`. */
  recover(pipelines: readonly string[]): Promise<void>;
  /** Releases what a sink holds back. False when there is no such sink. Throws `DATA_FOLDER_IN_USE` while its pipeline runs. */
  forgetSink(pipeline: string, sink: string): Promise<boolean>;
  /** Forgets the positions of a source, and its ids. Likewise. */
  forgetSource(pipeline: string, source: string): Promise<boolean>;
  /** All of it or nothing; a pipeline that has never run is known from then on. Throws `TOPIC_CHANGED`, or `DATA_FOLDER_IN_USE` while it runs. */
  change(pipeline: string, changes: SavedChanges): Promise<void>;
  close(): Promise<void>;
}

/** Takes the exclusive lock. Throws `DATA_FOLDER_IN_USE`, which names the process that holds it. */
export async function openDataFolder(options: DataFolderOptions): Promise<DataFolder> {
  const { dataDir, hubId, fileSystem = nodeFileSystem, lock = lockFolder } = options;
  const held = await lock(dataDir);
  try {
    await makeDurableFolder(fileSystem, dataDir);
    for (const folder of [topicsFolder(dataDir), journalsFolder(dataDir)]) await fileSystem.makeFolder(folder);
    await fileSystem.syncFolder(dataDir);
    return new EmbeddedDataFolder(options, hubId ?? (await loadHubId(fileSystem, dataDir)), held);
  } catch (error) {
    await held.release();
    throw logError(error, `opening the data folder "${dataDir}"`);
  }
}

class EmbeddedDataFolder implements DataFolder {
  readonly hubId: string;
  readonly dataDir: string;
  readonly #fileSystem: FileSystem;
  readonly #log: Logger;
  readonly #limits: LogLimits;
  readonly #lock: FolderLock;
  #prepared: { readonly state: EmbeddedLogState; readonly marks: Marks } | null = null;

  constructor(options: DataFolderOptions, hubId: string, lock: FolderLock) {
    this.hubId = hubId;
    this.dataDir = options.dataDir;
    this.#fileSystem = options.fileSystem ?? nodeFileSystem;
    this.#log = options.log;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#lock = lock;
  }

  async prepare(plans: readonly PipelineLogPlan[]): Promise<EmbeddedLogState> {
    const { dataDir } = this;
    const fileSystem = this.#fileSystem;
    const inventory = await takeInventory(fileSystem, dataDir);
    try {
      for (const { message } of [...inventory.damaged.values(), ...inventory.refused.values()])
        this.#log.error({ cause: message }, 'part of the data folder cannot be used');
      const faults = await applyPlans({ fileSystem, dataDir, inventory }, plans);
      const state = buildState({ dataDir, limits: this.#limits, inventory, plans, faults });
      const marks = new Marks(state.shared, state.counts);
      for (const [pipeline, journal] of inventory.journals) publish(state, marks, pipeline, journal.state);
      this.#prepared = { state, marks };
      return state;
    } catch (error) {
      throw logError(error, `preparing the data folder "${dataDir}"`);
    } finally {
      await closeInventory(inventory);
    }
  }

  async recover(pipelines: readonly string[]): Promise<void> {
    for (const pipeline of pipelines) await this.#recover(pipeline);
  }

  forgetSink(pipeline: string, sink: string): Promise<boolean> {
    return this.#change(pipeline, ({ sinks }) => (sinks.has(sink) ? { sinks: [[sink, null]] } : null));
  }

  forgetSource(pipeline: string, source: string): Promise<boolean> {
    return this.#change(pipeline, ({ positions, dedupe }) => {
      return positions.has(source) || dedupe.has(source) ? { forgottenSources: [source] } : null;
    });
  }

  async change(pipeline: string, changes: SavedChanges): Promise<void> {
    const [fileSystem, { dataDir }] = [this.#fileSystem, this];
    const frame = ({ state }: Journal): Promise<FrameContent> => changeFrame(fileSystem, dataDir, { changes, state });
    if (await this.#changeKnown(pipeline, frame)) return;
    try {
      await closing(await Journal.create({ fileSystem, dataDir, pipeline }), async (journal) => {
        await journal.append(await frame(journal));
      });
    } catch (error) {
      throw logError(error, `changing the state of pipeline "${pipeline}"`);
    }
  }

  close(): Promise<void> {
    return this.#lock.release();
  }

  async #recover(pipeline: string): Promise<void> {
    if (this.#prepared === null) return;
    const { state, marks } = this.#prepared;
    const number = state.pipelines.findIndex((one) => one.pipeline === pipeline);
    if (number < 0) return;
    const { fault } = state.pipelines[number]!;
    if (fault !== null) throw new SluiceError(fault.code, fault.message);
    try {
      await closing(await this.#openJournal(pipeline), async (journal) => {
        const topics = state.topics.filter(({ owner, fault: refused }) => owner === pipeline && refused === null);
        checkMarks(state, marks, pipeline, journal.state);
        const files = topics.map(
          ({ name, id, partitions, owner }) => ({ version: 1, name, id, partitions, owner }) as const,
        );
        await cutTopicsOf(this.#fileSystem, this.dataDir, { topics: files, state: journal.state });
        publish(state, marks, pipeline, journal.state);
      });
    } catch (error) {
      throw logError(error, `recovering the log of pipeline "${pipeline}"`);
    }
    marks.giveBack(number);
  }

  async #openJournal(pipeline: string): Promise<Journal> {
    const journal = await Journal.recover({ fileSystem: this.#fileSystem, dataDir: this.dataDir, pipeline });
    if (journal === null) throw corruption(`the journal of pipeline "${pipeline}"`, 'it is missing');
    return journal;
  }

  /** One frame in the journal of a pipeline that does not run. False when there is nothing to change. */
  async #change(pipeline: string, change: (state: JournalState) => FrameContent | null): Promise<boolean> {
    let isChanged = false;
    await this.#changeKnown(pipeline, ({ state }) => {
      const content = change(state);
      isChanged = content !== null;
      return Promise.resolve(content);
    });
    return isChanged;
  }

  /** False when the pipeline has no journal. */
  async #changeKnown(pipeline: string, change: (journal: Journal) => Promise<FrameContent | null>): Promise<boolean> {
    const number = this.#prepared?.state.pipelines.findIndex((one) => one.pipeline === pipeline) ?? -1;
    if (number >= 0 && this.#prepared!.marks.isTaken(number))
      throw new SluiceError('DATA_FOLDER_IN_USE', `changing the state of pipeline "${pipeline}": it runs`);
    try {
      const journal = await Journal.recover({ fileSystem: this.#fileSystem, dataDir: this.dataDir, pipeline });
      if (journal === null) return false;
      return await closing(journal, async () => {
        const content = await change(journal);
        if (content !== null) await journal.append(content);
        return true;
      });
    } catch (error) {
      throw logError(error, `changing the state of pipeline "${pipeline}"`);
    }
  }
}

function publish(state: EmbeddedLogState, marks: Marks, pipeline: string, journal: JournalState): void {
  publishEnds(state, marks, pipeline, journal);
  const own = state.pipelines.find((one) => one.pipeline === pipeline);
  for (const { sink } of own?.sinks ?? []) publishFloors(state, own!, marks, [sink, journal.sinks.get(sink)]);
}

/** What readers have seen must still be there. */
function checkMarks({ topics }: EmbeddedLogState, marks: Marks, owner: string, journal: JournalState): void {
  for (const { name, id, slot, partitions, fault, ...topic } of topics) {
    if (topic.owner !== owner || fault !== null) continue;
    for (let partition = 0; partition < partitions; partition++) {
      const end = journal.ends.get(id)?.[partition]?.end ?? 0;
      const mark = marks.end(slot + partition);
      if (end < mark)
        throw corruption(`topic "${name}"`, `partition ${partition} ends at ${end}, after ${mark} was read`);
    }
  }
}

/** The id that was made in a data folder; null before that. Throws `LOG_CORRUPT`: another id would mean to read files on this host from their beginning. */
export async function readHubId(dataDir: string, fileSystem: FileSystem = nodeFileSystem): Promise<string | null> {
  const path = join(dataDir, HUB_ID_NAME);
  let content: Buffer;
  try {
    content = await readWhole(fileSystem, path);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  const known = content.toString('utf8').trim();
  if (/^[a-z0-9][a-z0-9_-]{0,62}$/.test(known)) return known;
  throw new SluiceError(
    'LOG_CORRUPT',
    `reading "${path}": it is damaged, and what is saved of this hub in Kafka goes by the id in it. Put it back, or say the id as \`host\` in the hub file`,
  );
}

async function loadHubId(fileSystem: FileSystem, dataDir: string): Promise<string> {
  const known = await readHubId(dataDir, fileSystem);
  if (known !== null) return known;
  const made = randomBytes(HUB_ID_BYTES).toString('hex');
  await replaceFile(fileSystem, join(dataDir, HUB_ID_NAME), Buffer.from(`${made}\n`));
  return made;
}
