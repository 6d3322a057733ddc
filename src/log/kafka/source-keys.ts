import type { Clock, Position } from '../../api/index.ts';
import { encodeCheckpoints } from './checkpoint-record.ts';
import { CHECKPOINT_TOPIC, type CheckpointTopic } from './checkpoint-topic.ts';
import type { KafkaBatch } from './checkpoint-writer.ts';
import { ownSourcePrefix, sourcePrefix, type Owner, type SourceIdentity } from './identities.ts';

/** Where the positions of one source are in the checkpoint topic. */
export class SourceKeys {
  readonly #checkpoints: CheckpointTopic;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #prefix: string;
  readonly #ownPrefix: string;
  readonly #partition: number;

  constructor(options: {
    readonly owner: Owner;
    readonly source: SourceIdentity;
    readonly checkpoints: CheckpointTopic;
    readonly clock: Pick<Clock, 'now'>;
  }) {
    const { owner, source, checkpoints, clock } = options;
    this.#checkpoints = checkpoints;
    this.#clock = clock;
    this.#prefix = sourcePrefix(owner, source.name);
    this.#ownPrefix = ownSourcePrefix(owner, source);
    this.#partition = checkpoints.partitionOf(this.#prefix);
  }

  /** What is saved as of the call. */
  read(signal: AbortSignal): Promise<Map<string, Position>> {
    return this.#checkpoints.read(this.#prefix, this.#ownPrefix, signal);
  }

  /** Sealed batches that save these; a null position deletes. */
  encode(positions: ReadonlyMap<string, Position | null>): KafkaBatch[] {
    const records = [...positions].map(
      ([partition, position]) => [`${this.#ownPrefix}${partition}`, position] as const,
    );
    const batches = encodeCheckpoints(records, this.#clock.now());
    return batches.map((bytes) => ({ topic: CHECKPOINT_TOPIC, partition: this.#partition, bytes }));
  }
}
