import { describeError, type Clock, type Logger, type Position } from '../../api/index.ts';
import { crashPoint } from '../../telemetry/index.ts';
import type { CheckpointWriter, KafkaBatch } from './checkpoint-writer.ts';
import type { SourceIdentity } from './identities.ts';
import type { SourceKeys } from './source-keys.ts';

/** What a crash repeats at most is what was acknowledged within these, and what is in flight. */
const SAVE_WITHIN_MS = 100;
const SAVE_WITHIN_BYTES = 16 * 1024 * 1024;
const AGAIN_MS = 1000;

export interface SourceCheckpointsOptions {
  readonly source: SourceIdentity;
  readonly keys: SourceKeys;
  readonly writer: CheckpointWriter;
  readonly clock: Clock;
  readonly log: Logger;
  /** Of the log: ends everything. */
  readonly signal: AbortSignal;
  /** Saving behind a commit that was answered did not work. */
  readonly onFailed: (error: unknown) => void;
}

type Positions = readonly (readonly [partition: string, position: Position | null])[];

/** What one request wants to be durable, or not to have been at all. */
export interface SaveRequest {
  readonly letters: readonly KafkaBatch[];
  readonly positions: Positions;
}

interface Save {
  readonly requests: SaveRequest[];
  readonly saved: Promise<void>;
}

/** The positions of one source: what is acknowledged, and soon saved. */
export class SourceCheckpoints {
  readonly #options: SourceCheckpointsOptions;
  readonly #waiting = new Map<string, Position | null>();
  /** Null before it was read, and where other hubs write too. */
  #saved: Map<string, Position> | null = null;
  #bytes = 0;
  #timer: AbortController | null = null;
  /** One save or load at a time. */
  #turn: Promise<unknown> = Promise.resolve();
  /** The one that has not begun yet. */
  #next: Save | null = null;
  #isFailing = false;

  constructor(options: SourceCheckpointsOptions) {
    this.#options = options;
  }

  /** Positions wait because they cannot be saved: whoever commits more has to wait for them. */
  get isFailing(): boolean {
    return this.#isFailing;
  }

  /** As acknowledged. The first call takes the source over: its predecessor's next save is refused. */
  async positions(): Promise<ReadonlyMap<string, Position>> {
    const { source } = this.#options;
    // Partitions of a group come from other hubs, which have saved since.
    if (source.placement === 'group') {
      await this.save();
      this.#saved = null;
    }
    const loaded = this.#turn.then(async () => {
      const positions = new Map(await this.#load());
      for (const [partition, position] of this.#waiting) setPosition(positions, partition, position);
      return positions;
    });
    this.#turn = loaded.catch(() => undefined);
    return loaded;
  }

  /** Everything that these speak for is durable, `bytes` of it in the request that carried them. */
  acknowledge(positions: Positions, bytes: number): void {
    for (const [partition, position] of positions) this.#waiting.set(partition, position);
    this.#bytes += bytes;
    if (this.#waiting.size === 0) return;
    if (this.#bytes >= SAVE_WITHIN_BYTES) this.#saveBehind();
    else this.#arm(SAVE_WITHIN_MS);
  }

  /** Resolves when what waits and what is asked for are durable; what waits is kept for the next time when it rejects. */
  save(request?: SaveRequest): Promise<void> {
    this.#next ??= this.#plan();
    if (request !== undefined) this.#next.requests.push(request);
    return this.#next.saved;
  }

  /** Nothing is saved by itself any more. */
  stop(): void {
    this.#timer?.abort();
  }

  #plan(): Save {
    const requests: SaveRequest[] = [];
    const saved = this.#turn.then(() => {
      this.#next = null;
      return this.#save(requests);
    });
    this.#turn = saved.catch(() => undefined);
    return { requests, saved };
  }

  async #load(): Promise<Map<string, Position>> {
    const { keys, writer, signal } = this.#options;
    if (this.#saved !== null) return this.#saved;
    await writer.open(signal);
    this.#saved = await keys.read(signal);
    return this.#saved;
  }

  async #save(requests: readonly SaveRequest[]): Promise<void> {
    const { writer, signal } = this.#options;
    this.stop();
    const waited = [...this.#waiting];
    const bytes = this.#bytes;
    const positions = new Map([...waited, ...requests.flatMap((request) => request.positions)]);
    const letters = requests.flatMap((request) => request.letters);
    if (positions.size + letters.length === 0) return;
    this.#waiting.clear();
    try {
      crashPoint('before-checkpoint');
      await writer.write([...letters, ...this.#options.keys.encode(positions)], signal);
      crashPoint('checkpoint-acknowledged');
    } catch (error) {
      for (const [partition, position] of waited)
        if (!this.#waiting.has(partition)) this.#waiting.set(partition, position);
      this.#isFailing = this.#waiting.size > 0;
      if (this.#isFailing && !signal.aborted) this.#arm(AGAIN_MS);
      throw error;
    }
    this.#isFailing = false;
    this.#bytes -= bytes;
    if (this.#saved === null) return;
    for (const [partition, position] of positions) setPosition(this.#saved, partition, position);
  }

  #arm(delayMs: number): void {
    if (this.#timer !== null && !this.#timer.signal.aborted) return;
    const timer = new AbortController();
    this.#timer = timer;
    this.#options.clock.sleep(delayMs, timer.signal).then(
      () => {
        timer.abort();
        this.#saveBehind();
      },
      () => undefined,
    );
  }

  #saveBehind(): void {
    this.save().catch((error: unknown) => {
      const { log, source, signal, onFailed } = this.#options;
      if (signal.aborted) return;
      log.warn({ source: source.name, cause: describeError(error) }, 'positions could not be saved, trying again');
      onFailed(error);
    });
  }
}

function setPosition(positions: Map<string, Position>, partition: string, position: Position | null): void {
  if (position === null) positions.delete(partition);
  else positions.set(partition, position);
}
