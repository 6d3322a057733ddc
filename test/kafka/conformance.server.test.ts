import { serverSuite } from '../support/servers.ts';
import { defineContract } from './support/contract-runs.ts';

serverSuite('the Kafka client contract', ['kafka'], (where) => {
  describe('kept by the native driver', () => {
    defineContract('native', () => where.kafka.brokers);
  });

  describe('kept by the driver kafkajs', () => {
    defineContract('kafkajs', () => where.kafka.brokers);
  });
});
