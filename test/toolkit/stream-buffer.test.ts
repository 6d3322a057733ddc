import fc from 'fast-check';
import { realClock } from '../../src/telemetry/index.ts';
import { StreamBuffer, StreamMemory } from '../../src/toolkit/index.ts';

const KIB = 1024;
const bufferOf = (memory: StreamMemory, timeoutMs = 10_000): StreamBuffer =>
  new StreamBuffer({ memory, clock: realClock, timeoutMs });

/** Messages are a length in two bytes and so many bytes behind it. */
async function take(buffer: StreamBuffer, bytes: Buffer, whole: Buffer[]): Promise<void> {
  const joined = await buffer.join(bytes);
  let at = 0;
  while (at + 2 <= joined.length && at + 2 + joined.readUInt16BE(at) <= joined.length) {
    const next = at + 2 + joined.readUInt16BE(at);
    whole.push(Buffer.from(joined.subarray(at + 2, next)));
    at = next;
  }
  const says = at + 2 <= joined.length ? 2 + joined.readUInt16BE(at) : 0;
  await buffer.keep(joined, at, says);
}

test('messages come out as they went in, however they were cut, and nothing is held in the end', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 3000, size: 'max' }), { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 20 }),
      async (messages, cuts) => {
        const memory = new StreamMemory(64 * KIB);
        const buffer = bufferOf(memory);
        const sent = Buffer.concat(
          messages.map((message) =>
            Buffer.concat([Buffer.from([message.length >> 8, message.length & 0xff]), message]),
          ),
        );
        const whole: Buffer[] = [];
        for (let at = 0, turn = 0; at < sent.length; turn++) {
          const next = at + cuts[turn % cuts.length]!;
          const piece = Buffer.from(sent.subarray(at, next));
          await take(buffer, piece, whole);
          // As listeners do: what was taken is nobody's any more.
          piece.fill(0xff);
          at = next;
        }
        expect(whole.map((message) => message.toString('hex'))).toEqual(
          messages.map((message) => Buffer.from(message).toString('hex')),
        );
        expect(buffer.begunAtMs).toBeNull();
        buffer.release();
        expect(memory.usedBytes).toBe(0);
      },
    ),
    { numRuns: 300 },
  );
});

test('a message that says how long it is gets its room at once, but no more than eight times what came', () => {
  const memory = new StreamMemory(8 * 1024 * KIB);
  const buffer = bufferOf(memory);
  const first = Buffer.alloc(4 * KIB);
  void buffer.keep(first, 0, 1024 * KIB);
  expect(memory.usedBytes).toBe(32 * KIB);
  const other = bufferOf(memory);
  void other.keep(first, 0, 20 * KIB);
  expect(memory.usedBytes).toBe(64 * KIB);
});

test('buffers of whole messages are used again, small ones and too many of them are not', () => {
  const memory = new StreamMemory(64 * 1024 * KIB);
  const large = memory.buffer(128 * KIB);
  memory.keep(large);
  expect(memory.buffer(64 * KIB)).not.toBe(large);
  expect(memory.buffer(128 * KIB)).toBe(large);
  expect(memory.buffer(128 * KIB)).not.toBe(large);
  const small = memory.buffer(KIB);
  memory.keep(small);
  expect(memory.buffer(KIB)).not.toBe(small);
  const [four, another] = [memory.buffer(4096 * KIB), memory.buffer(64 * KIB)];
  memory.keep(four);
  memory.keep(another);
  expect(memory.buffer(4096 * KIB)).toBe(four);
  expect(memory.buffer(64 * KIB)).not.toBe(another);
});

test('a message waits for memory, and gets what others give back', async () => {
  const memory = new StreamMemory(64 * KIB);
  const [one, other] = [bufferOf(memory), bufferOf(memory)];
  await one.keep(Buffer.alloc(40 * KIB), 0);
  let isKept = false;
  const keeping = Promise.resolve(other.keep(Buffer.from('beginning'), 0)).then(() => {
    isKept = true;
  });
  await realClock.sleep(5);
  expect(isKept).toBe(false);
  one.release();
  await keeping;
  expect(other.held.toString()).toBe('beginning');
});

test('a message that gets no memory in time is refused', async () => {
  const memory = new StreamMemory(64 * KIB);
  await bufferOf(memory).keep(Buffer.alloc(40 * KIB), 0);
  await expect(bufferOf(memory, 5).keep(Buffer.alloc(1), 0)).rejects.toThrow('there was no memory for this message');
});
