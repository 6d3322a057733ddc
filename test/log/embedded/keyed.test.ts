import type { TopicLog } from '../../../src/log/index.ts';
import { BufferPool } from '../../../src/record/index.ts';
import { FaultyDisk } from '../../../src/testing/index.ts';
import { planOf } from './support/life.ts';
import { Scene } from './support/scene.ts';

const plan = (name: string, partitions: number): ReturnType<typeof planOf> =>
  planOf('copy', { topic: { name, partitions } });

async function subscribe(log: TopicLog, topic: string, keyed: boolean): Promise<void> {
  const pool = new BufferPool({ budgetBytes: 1 << 20, bufferBytes: 1 << 16 });
  const subscription = await log.subscribe({
    sink: 'sink',
    topic,
    start: 'earliest',
    keyed,
    pool,
    fetchBytes: 1 << 16,
  });
  await subscription.close();
}

test('a sink whose versions are offsets stops when its topic is another one or has more partitions; others go on', async () => {
  const disk = new FaultyDisk(1);
  const first = await Scene.begin(disk, [plan('orders', 2)]);
  await first.put('a', 'b');
  await subscribe(first.log, 'orders', true);
  await first.drain();
  await subscribe(first.log, 'orders', true);
  await first.end();

  const other = await Scene.begin(disk, [plan('returns', 2)]);
  await expect(subscribe(other.log, 'returns', true)).rejects.toMatchObject({
    code: 'TOPIC_CHANGED',
    retryable: false,
    message: expect.stringMatching(/^reading topic "returns": it is another one than .*new name of the sink/) as string,
  });
  await other.end();

  const larger = await Scene.begin(disk, [plan('orders', 3)]);
  await expect(subscribe(larger.log, 'orders', true)).rejects.toMatchObject({
    code: 'TOPIC_CHANGED',
    message: expect.stringContaining('it had 2 partitions and has 3') as string,
  });
  await subscribe(larger.log, 'orders', false);
  // It has read the new partition by now: its operator has accepted it.
  await subscribe(larger.log, 'orders', true);
  await larger.end();
});
