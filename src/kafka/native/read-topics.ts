import { SluiceError } from '../../api/index.ts';
import type { Cluster } from './cluster.ts';
import type { TopicMetadata } from './metadata.ts';
import { patiently } from './patiently.ts';
import type { Waiting } from '../common/waiting.ts';

export interface ReadTopicsOptions {
  readonly cluster: Cluster;
  readonly waiting: Waiting;
  readonly signal: AbortSignal;
  /** Its leaders are known now. */
  readonly onKnown: (topic: TopicMetadata) => void;
  /** It is not the topic that was read so far: another of that name, or none. */
  readonly onChanged: (topic: string, incarnation: string | null) => void;
  readonly onFault: (topic: string, error: SluiceError) => void;
}

/** Which topics a reader reads, so that one that was deleted or recreated is noticed. */
export class ReadTopics {
  readonly #options: ReadTopicsOptions;
  readonly #known = new Map<string, TopicMetadata>();
  readonly #lookUps = new Map<string, Promise<void>>();

  constructor(options: ReadTopicsOptions) {
    this.#options = options;
  }

  /** Null: it has to be looked up. */
  get(topic: string): TopicMetadata | null {
    const known = this.#known.get(topic);
    if (known === undefined) return null;
    const isCurrent = known.id === null || this.#options.cluster.metadata.nameOf(known.id) === topic;
    return isCurrent ? known : null;
  }

  /** What is found, the callbacks are told. */
  lookUp(topic: string): Promise<void> {
    const under = this.#lookUps.get(topic);
    if (under !== undefined) return under;
    const lookUp = this.#lookUp(topic);
    this.#lookUps.set(topic, lookUp);
    return lookUp;
  }

  /** What comes next may be another topic of that name. */
  forget(topic: string): void {
    this.#known.delete(topic);
  }

  async #lookUp(topic: string): Promise<void> {
    const { signal, onKnown, onChanged, onFault } = this.#options;
    const before = this.#known.get(topic);
    try {
      const found = await this.#ask(topic);
      if (before !== undefined && before.incarnation !== found.incarnation) {
        this.#known.delete(topic);
        onChanged(topic, found.incarnation);
        return;
      }
      this.#known.set(topic, found);
      onKnown(found);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof SluiceError)) throw error;
      this.#known.delete(topic);
      if (error.code === 'TOPIC_UNKNOWN') onChanged(topic, null);
      else onFault(topic, error);
    }
  }
  async #ask(topic: string): Promise<TopicMetadata> {
    const { cluster, signal } = this.#options;
    const doing = `looking up topic ${JSON.stringify(topic)}`;
    try {
      return await patiently(this.#options, doing, () => cluster.metadata.topic(topic, signal));
    } finally {
      // Before anybody is told: what was found may be out of date already, and is then looked up again.
      this.#lookUps.delete(topic);
    }
  }
}
