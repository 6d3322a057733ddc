import { topicLogContract } from '../../../src/testing/index.ts';
import { FakeCluster } from './support/fake-cluster.ts';
import { FakeKafka } from './support/fake-kafka.ts';
import { Logs, sourcesOf } from './support/setting.ts';
import { SluiceError } from '../../../src/api/index.ts';

// The suites on a real broker hold the same; here it tells what is the log's fault from what is a driver's.
describe.each([
  { promise: 'at least once', isExact: false },
  { promise: 'exactly once', isExact: true },
])('$promise', ({ isExact }) => {
  test.each(topicLogContract)('$name', async ({ run }) => {
    const cluster = new FakeCluster();
    const logs = new Logs(new FakeKafka(cluster), 'orders');
    await run({
      topic: 'orders',
      refusals: ['RECORD_TOO_LARGE'],
      open: () => logs.open({ plan: { sources: sourcesOf(isExact) } }),
      failWrites: (isFailing) => {
        cluster.onSend = (topic) => {
          if (isFailing && topic === 'orders') throw new SluiceError('RECORD_TOO_LARGE', 'made up');
        };
        return Promise.resolve();
      },
    });
    await logs.close();
  });
});
