import { describeError, type Json, type Logger } from '../../api/index.ts';
import type { KafkaProducer } from '../../kafka/index.ts';
import { encodeCheckpoints } from './checkpoint-record.ts';
import { CHECKPOINT_TOPIC, type CheckpointTopic } from './checkpoint-topic.ts';
import { sinkPrefix, type Owner } from './identities.ts';
import type { SinkState } from './start-rules.ts';

interface SinkStatesOptions {
  readonly owner: Owner;
  readonly sink: string;
  readonly topic: string;
  readonly checkpoints: CheckpointTopic;
  readonly producer: KafkaProducer;
  readonly now: () => number;
  readonly log: Logger;
}

export interface KnownStates {
  readonly byPartition: ReadonlyMap<number, SinkState>;
  /** Some state is there, be it of another topic. */
  readonly isKnown: boolean;
}

/** The state records of one sink in the checkpoint topic, by partition of its topic. */
export class SinkStates {
  readonly #options: SinkStatesOptions;
  readonly #prefix: string;
  readonly #waiting = new Map<number, SinkState>();
  #writing: Promise<void> | null = null;

  constructor(options: SinkStatesOptions) {
    this.#options = options;
    this.#prefix = sinkPrefix(options.owner, options.sink);
  }

  async load(signal: AbortSignal): Promise<KnownStates> {
    const { checkpoints, topic } = this.#options;
    const records = await checkpoints.read(this.#prefix, this.#prefix, signal);
    const byPartition = new Map<number, SinkState>();
    for (const [name, content] of records) {
      const at = name.lastIndexOf('/');
      if (name.slice(0, at) === topic) byPartition.set(Number(name.slice(at + 1)), stateOf(content));
    }
    return { byPartition, isKnown: records.size > 0 };
  }

  /** Resolves when they are durable. */
  async save(states: readonly (readonly [partition: number, state: SinkState])[]): Promise<void> {
    const { topic, producer, checkpoints, now } = this.#options;
    const records = states.map(([partition, state]) => [`${this.#prefix}${topic}/${partition}`, { ...state }] as const);
    const target = checkpoints.partitionOf(this.#prefix);
    await Promise.all(encodeCheckpoints(records, now()).map((batch) => producer.send(CHECKPOINT_TOPIC, target, batch)));
  }

  /** Written soon, the newest of each partition. One that is lost only makes the group's offset the one that counts. */
  put(partition: number, state: SinkState): void {
    this.#waiting.set(partition, state);
    this.#writing ??= this.#write();
  }

  /** Resolves when nothing waits. */
  async settled(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
  }

  async #write(): Promise<void> {
    // What is put in the same turn goes along.
    await Promise.resolve();
    while (this.#waiting.size > 0) {
      const states = [...this.#waiting];
      this.#waiting.clear();
      try {
        await this.save(states);
      } catch (error) {
        this.#options.log.warn({ cause: describeError(error) }, 'state of the sink could not be saved, its offset is');
      }
    }
    this.#writing = null;
  }
}

function stateOf(content: Json): SinkState {
  return content as unknown as SinkState;
}
