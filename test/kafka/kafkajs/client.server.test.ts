import { kafkaSettings, quietLog } from '../support/clients.ts';
import { openKafka, type KafkaClient } from '../../../src/kafka/index.ts';
import { realClock } from '../../../src/telemetry/index.ts';
import { KafkaTap, takeAssignment, valuesOf } from '../../../src/testing/kafka-tap.ts';
import { readerOptions, send } from '../../../src/testing/kafka-client-setting.ts';
import { ownServer, serverSuite, uniqueName } from '../../support/servers.ts';

serverSuite('the driver kafkajs', ['kafka'], (where) => {
  let client: KafkaClient;

  beforeEach(() => {
    client = openAt(where.kafka.brokers);
  });

  afterEach(() => client.close());

  test('plans no timers in the past while it waits for records', async () => {
    const topic = await made(client);
    const tap = new KafkaTap(client.openReader(readerOptions()));
    tap.reader.seek(topic, 0, 0);
    const delays: (number | undefined)[] = [];
    const { setTimeout: original } = globalThis;
    const spy = jest.spyOn(globalThis, 'setTimeout').mockImplementation((act: () => void, delayMs?: number) => {
      delays.push(delayMs);
      return original(act, delayMs);
    });
    try {
      await tap.expectNothing();
      await tap.expectNothing();
    } finally {
      spy.mockRestore();
    }
    expect(delays.filter((delayMs) => delayMs === undefined || delayMs < 1)).toEqual([]);
    expect(delays.length).toBeLessThan(50);
  });

  test('says that it cannot see the members of a group of KIP-848, and leaves its offsets alone', async () => {
    const topic = await made(client);
    const group = uniqueName('group');
    const native = openAt(where.kafka.brokers, 'native');
    try {
      const member = new KafkaTap(
        native.joinGroup({
          ...readerOptions(),
          group,
          topics: [topic],
          instanceId: null,
          protocol: 'consumer',
          sessionTimeoutMs: 8000,
          heartbeatMs: 500,
        }),
      );
      await takeAssignment(member);
      await member.reader.commit([{ topic, partition: 0, next: 1 }]);
      expect(await client.describeGroup(group)).toEqual({ state: 'Unknown', protocol: 'consumer', members: [] });
      const setting = client.setGroupOffsets(group, [{ topic, partition: 0, next: 0 }]);
      await expect(setting).rejects.toMatchObject({ code: 'KAFKA_REFUSED' });
      expect(await client.groupOffsets(group)).toEqual([{ topic, partition: 0, next: 1 }]);
    } finally {
      await native.close();
    }
  });
});

serverSuite('the driver kafkajs and a broker of its own', [], () => {
  test('loses nothing and keeps the order while the broker is killed and comes back', async () => {
    const server = await ownServer('kafka');
    const client = openAt(server.where.brokers);
    try {
      const topic = await made(client);
      const group = uniqueName('group');
      const member = client.joinGroup({
        ...readerOptions(),
        group,
        topics: [topic],
        instanceId: null,
        protocol: 'classic',
        sessionTimeoutMs: 8000,
        heartbeatMs: 300,
      });
      const tap = new KafkaTap(member);
      await takeAssignment(tap);
      const producer = await client.openProducer({});
      await send(producer, topic, ['0']);
      expect(valuesOf(await tap.read(1))).toEqual(['0']);
      await server.kill();
      const sends = Array.from({ length: 20 }, (_, number) => send(producer, topic, [`${number + 1}`]));
      while (producer.waitingFor === null) await realClock.sleep(20);
      expect(producer.waitingFor).toContain(`broker ${server.where.brokers}`);
      await server.startAgain();
      await Promise.all(sends);
      expect(producer.waitingFor).toBeNull();
      const seen = new Set<string | null>();
      let last = 0;
      while (last < 20) {
        const event = await tap.event();
        if (event.type === 'revoked') event.done();
        if (event.type === 'assigned')
          for (const { partition, committed } of event.partitions) member.seek(topic, partition, committed ?? 0);
        if (event.type !== 'chunk') continue;
        for (const { value } of tap.take(event.chunk)) {
          // What is read again, or was written again, is no news.
          if (!seen.has(value) && value !== '0') expect(Number(value)).toBe(++last);
          seen.add(value);
        }
      }
      while ((await member.commit([{ topic, partition: 0, next: 21 }]).catch(() => 'again')) === 'again') {
        const event = await member.next(AbortSignal.timeout(200));
        if (event?.type === 'revoked') event.done();
      }
      expect(await client.groupOffsets(group)).toEqual([{ topic, partition: 0, next: 21 }]);
    } finally {
      await client.close();
      await server.down();
    }
  });
});

function openAt(brokers: string, driver: 'native' | 'kafkajs' = 'kafkajs'): KafkaClient {
  const settings = kafkaSettings({ driver, brokers: brokers.split(',') });
  return openKafka(settings, { clock: realClock, log: quietLog });
}

async function made(client: KafkaClient): Promise<string> {
  const name = uniqueName('topic');
  await client.createTopic({ name, partitions: 1, replicationFactor: 1 });
  return name;
}
