import { murmur2, partitionForKey } from '../../src/record/index.ts';
import { kafkaClasspath } from '../support/kafka-tools.ts';
import { kafkaBatches } from './support/kafka-batches.ts';

jest.setTimeout(180_000);

/** From the tests of Kafka's `Utils.murmur2`. */
test.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
])('murmur2 of "%s"', (text, hash) => {
  expect(murmur2(Buffer.from(text))).toBe(hash);
});

test('the partition is that of the default partitioner, for negative hashes too', () => {
  expect(partitionForKey(Buffer.from('foobar'), 10)).toBe((-790332482 & 0x7fffffff) % 10);
  expect(partitionForKey(Buffer.from('abc'), 10)).toBe(7);
});

test("equals Kafka's own hash for keys of every length up to 64", async () => {
  const classpath = await kafkaClasspath();
  if (classpath === null) return;
  const keys = Array.from({ length: 65 }, (_, size) =>
    Buffer.from(Array.from({ length: size }, (_value, at) => (size * 31 + at * 197) % 256)),
  );
  const printed = await kafkaBatches(classpath, 'murmur2', ...keys.map((key) => `x${key.toString('hex')}`));
  expect(keys.map(murmur2)).toEqual(printed.trim().split('\n').map(Number));
});
