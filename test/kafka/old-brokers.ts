import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crashPaths } from '../../scripts/prove/crashes/crash-paths.ts';
import { crashRun } from '../../scripts/prove/crashes/crash-run.ts';
import { openClient } from '../../scripts/prove/kafka/topics.ts';
import { serverSuite, uniqueName } from '../support/servers.ts';
import { defineContract } from './support/contract-runs.ts';

serverSuite('the Kafka client contract on 2.8.2', ['kafka-2.8'], (where) => {
  describe('kept by the native driver', () => {
    defineContract('native', () => where['kafka-2.8'].brokers);
  });

  describe('kept by the driver kafkajs', () => {
    defineContract('kafkajs', () => where['kafka-2.8'].brokers);
  });

  test.each(['filesToKafka', 'kafkaToKafka'] as const)(
    'exactly once by the first transaction protocol, the hub killed at every crash point: %s',
    async (key) => {
      const { brokers } = where['kafka-2.8'];
      const client = openClient(brokers);
      const folder = await mkdtemp(join(tmpdir(), 'sluice-crash-'));
      try {
        const place = { folder, brokers, client, name: uniqueName('crash') };
        const { count, notReached } = await crashRun(crashPaths[key], place, { seed: 28 });
        expect(notReached).toEqual([]);
        expect(count).toMatchObject({ lost: 0, duplicated: 0, reordered: 0, strange: 0 });
      } finally {
        await client.close();
        await rm(folder, { recursive: true, force: true, maxRetries: 5 });
      }
    },
    300_000,
  );
});

serverSuite('the Kafka client contract on 2.0.1', ['kafka-2.0'], (where) => {
  describe('kept by the native driver', () => {
    defineContract('native', () => where['kafka-2.0'].brokers, ['offset-delete', 'topic-config-changes']);
  });

  describe('kept by the driver kafkajs', () => {
    defineContract('kafkajs', () => where['kafka-2.0'].brokers, ['offset-delete']);
  });
});

serverSuite('the Kafka client contract on 0.10.2', ['kafka-0.10'], (where) => {
  describe('kept by the driver kafkajs', () => {
    defineContract('kafkajs', () => where['kafka-0.10'].brokers, [
      'headers',
      'topic-config',
      'topic-config-changes',
      'defaults',
      'delete-records',
      'offset-delete',
      'group-delete',
    ]);
  });
});
