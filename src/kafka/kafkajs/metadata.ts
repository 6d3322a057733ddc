import { createHash } from 'node:crypto';
import type { BrokerConnection } from './connection.ts';

/** Brokers before 0.11 create a topic that somebody merely asks about. */
const FIRST_WITHOUT_CREATION = 4;

interface PartitionMetadata {
  /** -1: there is none at the moment. */
  readonly leader: number;
  readonly replicas: number;
  readonly inSync: number;
}

export interface TopicMetadata {
  readonly name: string;
  /** 0, or why the cluster says nothing more of it. */
  readonly errorCode: number;
  readonly incarnation: string;
  readonly isInternal: boolean;
  /** By number. */
  readonly partitions: readonly PartitionMetadata[];
}

export interface ClusterMetadata {
  readonly id: string;
  readonly controller: number;
  readonly brokers: readonly { readonly id: number; readonly host: string; readonly port: number }[];
  readonly topics: readonly TopicMetadata[];
}

interface MetadataAnswer {
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
  readonly clusterId?: string | null;
  readonly controllerId?: number;
  readonly topicMetadata: readonly {
    readonly topicErrorCode: number;
    readonly topic: string;
    readonly isInternal?: boolean;
    readonly partitionMetadata: readonly {
      readonly partitionId: number;
      readonly leader: number;
      readonly replicas: readonly number[];
      readonly isr: readonly number[];
    }[];
  }[];
}

/** Of these topics, or of all (null). Topics that do not exist are missing or have an error code. */
export async function askMetadata(broker: BrokerConnection, names: readonly string[] | null): Promise<ClusterMetadata> {
  const asked = names === null || broker.version('Metadata') < FIRST_WITHOUT_CREATION ? [] : names;
  const answer = await broker.call<MetadataAnswer>(
    'Metadata',
    { topics: asked, allowAutoTopicCreation: false },
    'asking for the topics and brokers',
  );
  const id = answer.clusterId ?? '';
  const wanted = names === null ? null : new Set(names);
  return {
    id,
    controller: answer.controllerId ?? -1,
    brokers: answer.brokers.map(({ nodeId, host, port }) => ({ id: nodeId, host, port })),
    topics: answer.topicMetadata.filter(({ topic }) => wanted?.has(topic) ?? true).map((entry) => topicOf(entry, id)),
  };
}

function topicOf(entry: MetadataAnswer['topicMetadata'][number], clusterId: string): TopicMetadata {
  const partitions = [...entry.partitionMetadata]
    .sort((left, right) => left.partitionId - right.partitionId)
    .map(({ leader, replicas, isr }) => ({ leader, replicas: replicas.length, inSync: isr.length }));
  return {
    name: entry.topic,
    errorCode: entry.topicErrorCode,
    incarnation: incarnationOf(clusterId, entry.topic),
    isInternal: entry.isInternal ?? entry.topic.startsWith('__'),
    partitions,
  };
}

/** kafkajs does not read topic ids: 48 bits of a hash of cluster id and name stand for them, in base64url. A recreated topic is not told from the one before. */
function incarnationOf(clusterId: string, name: string): string {
  return createHash('sha256').update(`${clusterId}\0${name}`).digest().subarray(0, 6).toString('base64url');
}
