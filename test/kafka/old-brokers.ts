import { serverSuite } from '../support/servers.ts';
import { defineContract } from './support/contract-runs.ts';

serverSuite('the Kafka client contract on 2.8.2', ['kafka-2.8'], (where) => {
  describe('kept by the native driver', () => {
    defineContract('native', () => where['kafka-2.8'].brokers);
  });

  describe('kept by the driver kafkajs', () => {
    defineContract('kafkajs', () => where['kafka-2.8'].brokers);
  });
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
