import { PartitionProgress } from '../../../connectors/kafka/partition-progress.ts';

test('it never goes back, whichever of two emits of one commit is told first', async () => {
  const progress = new PartitionProgress({ topic: 'in', partition: 0, incarnation: 'AAAAAAAA' }, 2, null);
  progress.begin();
  progress.begin();
  const idle = progress.idle();
  progress.end(4);
  progress.end(3);
  await idle;
  expect(progress.settled).toBe(4);
  progress.begin();
  progress.end(null);
  expect(progress.settled).toBe(4);
});
