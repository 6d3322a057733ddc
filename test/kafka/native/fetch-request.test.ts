import * as kafka from '@platformatic/kafka';
import { copyRecords, readFetch, writeFetch, type FetchRequest } from '../../../src/kafka/native/fetch-request.ts';

const id = '00112233-4455-6677-8899-aabbccddeeff';
const target = { topicId: id, leaderEpoch: 4, topic: 't' } as const;
const request: FetchRequest = {
  isolation: 'read_committed',
  maxWaitMs: 500,
  maxBytes: 1000,
  targets: [
    { ...target, partition: 2, offset: 20 },
    { ...target, topic: 'u', topicId: 'ffffffff-4455-6677-8899-aabbccddeeff', partition: 0, offset: 2 ** 40 },
    { ...target, partition: 0, offset: 7 },
  ],
};

/** What the package's own writer makes of the same request; it names the topics in the same order. */
function theirs(version: number): Buffer {
  const topics = [request.targets[0]!, request.targets[1]!].map(({ topic, topicId }) => ({
    topic,
    // Below 13 the package takes the name in its place.
    topicId: version < 13 ? topic : topicId!,
    partitions: request.targets
      .filter((one) => one.topic === topic)
      .map(({ partition, leaderEpoch, offset }) => ({
        partition,
        currentLeaderEpoch: leaderEpoch,
        fetchOffset: BigInt(offset),
        lastFetchedEpoch: -1,
        logStartOffset: -1n,
        partitionMaxBytes: 1000,
      })),
  }));
  const versions = kafka as unknown as Record<string, { createRequest?: (...args: unknown[]) => kafka.Writer }>;
  const create = versions[`fetchV${version}`]!.createRequest!;
  return create(500, 1, 1000, 1, 0, -1, topics, [], '').buffer;
}

test.each([4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17])(
  'version %i is written as the package writes it',
  (version) => {
    expect(writeFetch(version, request).buffer.toString('hex')).toBe(theirs(version).toString('hex'));
  },
);

test.each([4, 5, 7, 11, 12, 13, 18])('an answer of version %i is read to its end', (version) => {
  const isFlexible = version >= 12;
  const writer = kafka.Writer.create().appendInt32(250);
  if (version >= 7) writer.appendInt16(0).appendInt32(0);
  const partitions = [
    { number: 3, records: Buffer.from('some records'), aborted: [[70n, 11n]] as const },
    { number: 4, records: null, aborted: [] },
  ];
  writer.appendArray(
    ['t'],
    () => {
      if (version >= 13) writer.appendUUID(id);
      else writer.appendString('t', isFlexible);
      writer.appendArray(
        partitions,
        (_, { number, records, aborted }) => {
          writer
            .appendInt32(number)
            .appendInt16(number === 4 ? 6 : 0)
            .appendInt64(30n)
            .appendInt64(25n);
          if (version >= 5) writer.appendInt64(1n);
          writer.appendArray(
            [...aborted],
            (__, [producerId, firstOffset]) => writer.appendInt64(producerId).appendInt64(firstOffset),
            isFlexible,
            isFlexible,
          );
          if (version >= 11) writer.appendInt32(-1);
          writer.appendBytes(records, isFlexible);
        },
        isFlexible,
        isFlexible,
      );
    },
    isFlexible,
    isFlexible,
  );
  if (isFlexible) writer.appendTaggedFields();
  // In parts, as it comes from the network.
  const bytes = writer.buffer;
  const parts = kafka.Writer.create();
  for (let at = 0; at < bytes.length; at += 7) parts.append(bytes.subarray(at, at + 7));

  const answer = readFetch(version, kafka.Reader.from(parts));
  expect(answer).toMatchObject({ throttleMs: 250, errorCode: 0 });
  const [first, second] = answer.partitions;
  const topic = version >= 13 ? id : 't';
  expect(first).toMatchObject({ topic, partition: 3, errorCode: 0, highWatermark: 30, lastStableOffset: 25 });
  expect(first!.aborted).toEqual([{ producerId: 70, firstOffset: 11 }]);
  expect(second).toMatchObject({ topic, partition: 4, errorCode: 6, records: null, aborted: [] });
  const copied = Buffer.alloc(20, '.');
  expect(copyRecords(first!.records!, copied, 2)).toBe(12);
  expect(copied.toString()).toBe('..some records......');
});
