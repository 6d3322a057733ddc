import type { OffsetAt } from '../client.ts';
import type { BrokerConnection } from './connection.ts';
import { unsupported } from './connection.ts';
import { throwOnCode } from '../common/errors.ts';

const EARLIEST = -2;
const LATEST = -1;

interface Answer {
  readonly responses: readonly {
    readonly partitions: readonly { readonly partition: number; readonly errorCode: number; readonly offset: string }[];
  }[];
}

/** The offsets of partitions that this broker leads. Rejects with the first error code. */
export async function listOffsets(
  broker: BrokerConnection,
  topic: string,
  partitions: readonly number[],
  at: OffsetAt,
): Promise<ReadonlyMap<number, number>> {
  const found = await ask(broker, topic, { partitions, at });
  // No record is as late as that: it begins at the end.
  const late = [...found].filter(([, offset]) => offset < 0).map(([partition]) => partition);
  if (late.length === 0 || typeof at === 'string') return found;
  return new Map([...found, ...(await ask(broker, topic, { partitions: late, at: 'latest' }))]);
}

async function ask(
  broker: BrokerConnection,
  topic: string,
  { partitions, at }: { partitions: readonly number[]; at: OffsetAt },
): Promise<ReadonlyMap<number, number>> {
  // Version 0, of before Kafka 0.10.1, knows no times and answers in another shape.
  if (broker.version('ListOffsets') < 1) throw unsupported('ListOffsets', broker.address);
  const doing = `listing offsets of topic ${JSON.stringify(topic)}`;
  const timestamp = at === 'earliest' ? EARLIEST : typeof at === 'string' ? LATEST : at.timestampMs;
  const answer = await broker.call<Answer>(
    'ListOffsets',
    {
      isolationLevel: at === 'stable' ? 1 : 0,
      topics: [{ topic, partitions: partitions.map((partition) => ({ partition, timestamp })) }],
    },
    doing,
  );
  const entries = answer.responses.flatMap((response) => response.partitions);
  for (const { errorCode } of entries) throwOnCode(errorCode, doing);
  return new Map(entries.map(({ partition, offset }) => [partition, Number(offset)]));
}
