import type { Clock, Logger, Metrics, SourceDefinition } from '../../api/index.ts';
import type { KafkaClient, MemberOptions } from '../../kafka/index.ts';

/** What of a pipeline its log on Kafka has to know. */
export interface KafkaLogPlan {
  readonly pipeline: string;
  readonly topic: KafkaLogTopic;
  /** Null for `dead_letter: off`. `parked`: where those go that were refused too often, when somebody is about to write them. */
  readonly deadLetter: { readonly topic: string; readonly parked?: string } | null;
  /** Without any the topic belongs to somebody else: it has to be there. */
  readonly sources: readonly KafkaLogSource[];
  /** Sinks of jobs: what they save of their batches is fenced as the positions of a source that runs on one hub of the group. */
  readonly jobs?: readonly string[];
}

interface KafkaLogSource {
  readonly name: string;
  readonly placement: SourceDefinition['placement'];
  /** Its records, positions and dead letters are written in transactions. */
  readonly isExact: boolean;
}

/** What a topic is created with; one that is there already stays as it is. */
export interface KafkaLogTopic {
  readonly name: string;
  readonly partitions: number;
  /** Null: the broker's default. */
  readonly replicationFactor: number | null;
  /** Settings by Kafka's names; they win over what follows. */
  readonly config: Readonly<Record<string, string>>;
  readonly retentionMs: number;
  readonly maxRecordBytes: number;
}

export interface KafkaLogOptions {
  /** Stays the caller's: closed by whoever opened it, after the log. */
  readonly client: KafkaClient;
  /** Part of all identities: hubs of the same group share the sinks of a pipeline. */
  readonly group: string;
  readonly hubId: string;
  readonly plan: KafkaLogPlan;
  /** How sinks are members of their consumer groups. */
  readonly member: Pick<MemberOptions, 'protocol' | 'sessionTimeoutMs' | 'heartbeatMs'>;
  /** The broker aborts a transaction of an exact source that lasts longer. */
  readonly transactionTimeoutMs: number;
  /** They come back within the session time-out, as a hub does that is started again. Those of a run with an end do not, and leave their groups. */
  readonly isStatic: boolean;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Ends the wait for the cluster while the log is being opened. */
  readonly signal?: AbortSignal;
}
