import type { TopicLife } from '../kafka/indexed.ts';

/** What brings numbered records into the topic that a sink reads. */
export interface Feed {
  /** The pipeline's lines for sources; empty when somebody else fills the topic. */
  readonly sources: string;
  /** Lines of the hub file. */
  readonly settings: readonly string[];
  /** Appends the records up to this number. */
  growTo(end: number): Promise<void>;
  /** What the topic has now; null when only the hub itself can tell. */
  life(): Promise<TopicLife | null>;
  close(): Promise<void>;
}
