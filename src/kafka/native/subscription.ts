import {
  decodeConsumerProtocolAssignment,
  decodeConsumerProtocolSubscription,
  decodeCooperativeStickyGeneration,
  encodeConsumerProtocolAssignment,
  encodeConsumerProtocolSubscription,
} from './package.ts';
import type { AssignableMember } from './assignor.ts';

/** With owned partitions, generation and rack. */
const SUBSCRIPTION_VERSION = 3;
const ASSIGNMENT_VERSION = 3;

type TopicPartitions = ReadonlyMap<string, readonly number[]>;

/**
 * What a member tells the leader of a classic group. Java's CooperativeStickyAssignor before 3.4 reads the generation from four bytes of user data,
 * which later ones still write.
 */
export function encodeSubscription(topics: readonly string[], owned: TopicPartitions, generation: number): Buffer {
  const userData = Buffer.alloc(4);
  userData.writeInt32BE(generation);
  return encodeConsumerProtocolSubscription({
    version: SUBSCRIPTION_VERSION,
    topics: [...topics],
    userData,
    ownedPartitions: listOf(owned),
    generationId: generation,
  });
}

export function decodeSubscription(id: string, bytes: Buffer): AssignableMember {
  const { topics, ownedPartitions, generationId, userData } = decodeConsumerProtocolSubscription(bytes);
  const generation = generationId >= 0 ? generationId : decodeCooperativeStickyGeneration(userData);
  return { id, topics, owned: mapOf(ownedPartitions), generation };
}

export function encodeAssignment(assigned: TopicPartitions): Buffer {
  return encodeConsumerProtocolAssignment({ version: ASSIGNMENT_VERSION, assignedPartitions: listOf(assigned) });
}

/** Empty bytes: nothing is assigned. */
export function decodeAssignment(bytes: Buffer): TopicPartitions {
  return mapOf(decodeConsumerProtocolAssignment(bytes).assignedPartitions);
}

function listOf(partitions: TopicPartitions): { topic: string; partitions: number[] }[] {
  return [...partitions].map(([topic, numbers]) => ({ topic, partitions: [...numbers] }));
}

function mapOf(list: readonly { readonly topic: string; readonly partitions: readonly number[] }[]): TopicPartitions {
  return new Map(list.map(({ topic, partitions }) => [topic, partitions]));
}
