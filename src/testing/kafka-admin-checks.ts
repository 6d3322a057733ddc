import { deepStrictEqual, equal, match, notEqual, ok, rejects } from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { KafkaClient } from '../kafka/index.ts';
import { claims, code, madeTopic, send, type KafkaClientCheck } from './kafka-client-setting.ts';
import { sameOffsets } from './kafka-tap.ts';

/** Of topics, their settings and their offsets. */
export const kafkaAdminChecks: readonly KafkaClientCheck[] = [
  {
    name: 'names its cluster and the brokers',
    async run({ open }) {
      const { id, brokers } = await open().cluster();
      ok(id.length > 0);
      ok(brokers.length > 0);
      for (const { host, port } of brokers) ok(host.length > 0 && port > 0);
    },
  },
  {
    name: 'makes a topic once, with the partitions and replicas that were asked for',
    async run({ open, name }) {
      const client = open();
      const topic = { name: name('topic'), partitions: 3, replicationFactor: 1 };
      equal(await client.createTopic(topic), true);
      equal(await client.createTopic(topic), false);
      const [found] = await client.topics([topic.name, name('missing')]);
      equal(found?.name, topic.name);
      equal(found.isInternal, false);
      match(found.incarnation, /^[\w-]{8}$/);
      equal(found.partitions.length, 3);
      for (const { leader, replicas, inSync } of found.partitions) {
        ok(leader >= 0);
        deepStrictEqual({ replicas, inSync }, { replicas: 1, inSync: 1 });
      }
      ok((await client.topics(null)).some((other) => other.name === topic.name));
      deepStrictEqual(await client.topics([name('missing')]), []);
    },
  },
  {
    name: 'makes a topic with the defaults of the brokers where they tell them',
    async run({ open, name, lacks }) {
      const client = open();
      const making = client.createTopic({ name: name('topic'), partitions: -1, replicationFactor: -1 });
      if (lacks.has('defaults')) await rejects(making, code('KAFKA_UNSUPPORTED'));
      else equal(await making, true);
    },
  },
  {
    name: 'refuses a topic that no broker would make, and says why',
    async run({ open, name }) {
      const client = open();
      const config = { 'cleanup.policy': 'nonsense' };
      const making = client.createTopic({ name: name('topic'), partitions: 1, replicationFactor: 1, config });
      await rejects(making, code('KAFKA_REFUSED'));
      const replicated = client.createTopic({ name: name('topic'), partitions: 1, replicationFactor: 17 });
      await rejects(replicated, code('KAFKA_REFUSED'));
    },
  },
  {
    name: 'a topic keeps its incarnation; with topic ids a recreated one has another',
    async run(setting) {
      const client = setting.open();
      const topic = await madeTopic(client, setting);
      const before = await incarnationOf(client, topic);
      equal(await incarnationOf(setting.open(), topic), before);
      if (!(await claims(client, 'topicIds'))) return;
      await client.deleteTopic(topic);
      // A controller with ZooKeeper goes on deleting for a while.
      const deadline = performance.now() + 10_000;
      while (!(await client.createTopic({ name: topic, partitions: 1, replicationFactor: 1 }))) {
        ok(performance.now() < deadline);
        await delay(50);
      }
      notEqual(await incarnationOf(client, topic), before);
    },
  },
  {
    name: 'deletes a topic; one that does not exist is no error',
    async run(setting) {
      const client = setting.open();
      const topic = await madeTopic(client, setting);
      await client.deleteTopic(topic);
      await client.deleteTopic(topic);
      await rejects(client.offsets(topic, 'latest'), code('TOPIC_UNKNOWN'));
    },
  },
  {
    name: 'finds offsets: the first, the end, the stable end, by time, of all partitions or some',
    async run(setting) {
      const client = setting.open();
      const topic = await madeTopic(client, setting, { partitions: 3 });
      const producer = await client.openProducer({});
      const now = Date.now();
      await send(producer, topic, [
        { value: 'a', timestamp: now - 3000 },
        { value: 'b', timestamp: now - 2000 },
      ]);
      await send(producer, topic, [{ value: 'c', timestamp: now - 1000 }]);
      await send(producer, topic, ['d'], { partition: 2 });
      sameOffsets(await client.offsets(topic, 'earliest'), [0, 0, 0]);
      sameOffsets(await client.offsets(topic, 'latest'), [3, 0, 1]);
      sameOffsets(await client.offsets(topic, 'stable'), [3, 0, 1]);
      sameOffsets(await client.offsets(topic, { timestampMs: now - 1500 }), [2, 0, 0]);
      sameOffsets(await client.offsets(topic, { timestampMs: now + 60_000 }), [3, 0, 1]);
      deepStrictEqual([...(await client.offsets(topic, 'latest', { partitions: [2] }))], [[2, 1]]);
      await rejects(client.offsets(setting.name('missing'), 'latest'), code('TOPIC_UNKNOWN'));
    },
  },
  {
    name: 'gives up the records of a partition below an offset, once or twice, and none beyond its end',
    async run(setting) {
      const client = setting.open();
      const topic = await madeTopic(client, setting, { partitions: 2 });
      const producer = await client.openProducer({});
      await send(producer, topic, ['a', 'b', 'c'], { partition: 1 });
      const deleting = client.deleteRecords(topic, { partition: 1, before: 2 });
      if (setting.lacks.has('delete-records')) {
        await rejects(deleting, code('KAFKA_UNSUPPORTED'));
        return;
      }
      await deleting;
      await client.deleteRecords(topic, { partition: 1, before: 2 });
      sameOffsets(await client.offsets(topic, 'earliest'), [0, 2]);
      sameOffsets(await client.offsets(topic, 'latest'), [0, 3]);
      await rejects(client.deleteRecords(topic, { partition: 1, before: 4 }), code('KAFKA_REFUSED'));
      await rejects(client.deleteRecords(setting.name('missing'), { partition: 0, before: 0 }), code('TOPIC_UNKNOWN'));
    },
  },
  {
    name: 'reads the settings of a topic and changes the named ones only',
    async run(setting) {
      const client = setting.open();
      const config = { 'retention.ms': '12345678', 'max.message.bytes': '200000' };
      const topic = await madeTopic(client, setting, { config });
      if (setting.lacks.has('topic-config')) {
        await rejects(client.topicConfig(topic), code('KAFKA_UNSUPPORTED'));
        return;
      }
      const before = await client.topicConfig(topic);
      equal(before.get('retention.ms'), '12345678');
      equal(before.get('cleanup.policy'), 'delete');
      const changes = { 'cleanup.policy': 'compact', 'max.message.bytes': null };
      if (setting.lacks.has('topic-config-changes')) {
        await rejects(client.alterTopicConfig(topic, changes), code('KAFKA_UNSUPPORTED'));
        return;
      }
      await client.alterTopicConfig(topic, changes);
      // Brokers of the metadata quorum show a change a moment later.
      const deadline = performance.now() + 5000;
      while ((await client.topicConfig(topic)).get('cleanup.policy') !== 'compact' && performance.now() < deadline)
        await delay(20);
      const after = await client.topicConfig(topic);
      equal(after.get('cleanup.policy'), 'compact');
      equal(after.get('retention.ms'), '12345678');
      notEqual(after.get('max.message.bytes'), '200000');
      await rejects(client.alterTopicConfig(topic, { 'cleanup.policy': 'nonsense' }), code('KAFKA_REFUSED'));
      await rejects(client.topicConfig(setting.name('missing')), code('TOPIC_UNKNOWN'));
    },
  },
];

async function incarnationOf(client: KafkaClient, topic: string): Promise<string> {
  const [found] = await client.topics([topic]);
  return found?.incarnation ?? '';
}
