import { takeBatches } from '../../../src/kafka/common/take-batches.ts';
import { RecordView } from '../../../src/record/index.ts';
import { abortedBatch, commitMarker, abortMarker, plainBatch, withBytes } from '../support/stored-batches.ts';

const none = { aborted: [], isolation: 'read_committed', where: 'topic "t" partition 0' } as const;

function take(batches: readonly Buffer[], options: Partial<Parameters<typeof takeBatches>[0]> = {}) {
  const bytes = Buffer.concat([Buffer.from('before'), ...batches, Buffer.from('behind')]);
  const end = bytes.length - 6;
  const taken = takeBatches({ ...none, bytes, at: 6, end, offset: 0, ...options });
  return { ...taken, kept: bytes.subarray(6, 6 + taken.length) };
}

/** The offsets of all records. */
function offsets(bytes: Buffer, from = 0): number[] {
  const view = new RecordView({ decode: (value) => value });
  view.addStored({ topic: 't', partition: 0, incarnation: 'AAAAAAAA' }, bytes, from);
  return Array.from({ length: view.count }, (_, index) => view.offset(index));
}

function failure(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

test('whole batches are kept as they are, and one that is cut off waits for the next fetch', () => {
  const batches = [plainBatch(0, 3), plainBatch(3, 2), plainBatch(5, 4)];
  const cut = Buffer.concat(batches).subarray(0, -1);
  const { kept, next } = take([cut]);
  expect(kept).toEqual(Buffer.concat(batches.slice(0, 2)));
  expect(next).toBe(5);
  for (const length of [0, 1, 11, 12, 60]) {
    const { length: keptBytes, next: sameOffset } = take([batches[0]!.subarray(0, length)]);
    expect([keptBytes, sameOffset]).toEqual([0, 0]);
  }
});

test('a batch that begins below the offset is kept whole, and one that ends below it is not', () => {
  const batches = [plainBatch(0, 3), plainBatch(3, 3), plainBatch(6, 1)];
  const { kept, next } = take(batches, { offset: 4 });
  expect(offsets(kept, 4)).toEqual([4, 5, 6]);
  expect(kept).toEqual(Buffer.concat(batches.slice(1)));
  expect(next).toBe(7);
});

test('compaction leaves gaps and empty batches: the offset runs over both', () => {
  const emptied = plainBatch(10, 5, { keep: 0 });
  const { kept, next } = take([plainBatch(2, 3, { keep: 1 }), emptied], { offset: 1 });
  expect(offsets(kept)).toEqual([2]);
  expect(next).toBe(15);
});

test('control batches are never delivered, nor what an aborted transaction wrote', () => {
  const batches = [
    plainBatch(0, 2),
    abortedBatch(2, 2, 7),
    abortedBatch(4, 1, 8),
    abortMarker(5, 7),
    abortedBatch(6, 2, 7),
    commitMarker(8, 7),
    commitMarker(9, 8),
    plainBatch(10, 1),
  ];
  const aborted = [{ producerId: 7, firstOffset: 2 }];
  const committed = take(batches, { aborted });
  expect(offsets(committed.kept)).toEqual([0, 1, 4, 6, 7, 10]);
  expect(committed.next).toBe(11);
  expect(offsets(take(batches, { aborted, isolation: 'read_uncommitted' }).kept)).toEqual([0, 1, 2, 3, 4, 6, 7, 10]);
});

test('an aborted transaction that began before the fetch, several of one producer, and a list out of order', () => {
  const batches = [
    abortedBatch(20, 1, 7),
    abortMarker(21, 7),
    abortedBatch(22, 1, 7),
    abortedBatch(23, 1, 9),
    abortMarker(24, 7),
    abortMarker(25, 9),
    abortedBatch(26, 1, 9),
  ];
  const aborted = [
    { producerId: 9, firstOffset: 23 },
    { producerId: 7, firstOffset: 22 },
    { producerId: 7, firstOffset: 3 },
  ];
  const { kept, next } = take(batches, { aborted, offset: 20 });
  expect(offsets(kept)).toEqual([26]);
  expect(next).toBe(27);
});

test('when nothing is left the offset goes on all the same', () => {
  const batches = [abortedBatch(4, 3, 7), abortMarker(7, 7)];
  expect(take(batches, { aborted: [{ producerId: 7, firstOffset: 4 }], offset: 4 })).toMatchObject({
    length: 0,
    next: 8,
  });
});

test('an idempotent producer outside a transaction is not aborted with one of the same id', () => {
  const batches = [plainBatch(0, 1, { producerId: 7 }), abortedBatch(1, 1, 7), abortMarker(2, 7)];
  expect(offsets(take(batches, { aborted: [{ producerId: 7, firstOffset: 0 }] }).kept)).toEqual([0]);
});

test('damage is named with topic, partition and offset, once what lies before it is delivered', () => {
  const damaged = withBytes(plainBatch(3, 2), (bytes) => (bytes[70]! ^= 1));
  const before = take([plainBatch(0, 3), damaged, plainBatch(5, 1)]);
  expect([offsets(before.kept), before.next]).toEqual([[0, 1, 2], 3]);
  expect(failure(() => take([damaged], { offset: 3 }))).toMatchObject({
    code: 'RECORD_CORRUPT',
    message: 'reading topic "t" partition 0 from offset 3: the checksum of a record batch is wrong',
  });
  const shorter = withBytes(plainBatch(3, 2), (bytes) => bytes.writeInt32BE(20, 8));
  expect(failure(() => take([shorter]))).toMatchObject({ code: 'RECORD_CORRUPT' });
});

test.each([0, 1])('messages of format %i, from before Kafka 0.11, are refused by name', (magic) => {
  const old = Buffer.alloc(34);
  old.writeInt32BE(22, 8);
  old.writeInt8(magic, 16);
  expect(failure(() => take([old]))).toMatchObject({
    code: 'KAFKA_UNSUPPORTED',
    message: `reading topic "t" partition 0 from offset 0: messages in format ${magic}, as it was before Kafka 0.11`,
  });
});

test('batches with the broker’s time stay as they are', () => {
  const batch = plainBatch(0, 2, { appendTime: true });
  expect(take([batch]).kept).toEqual(batch);
});
