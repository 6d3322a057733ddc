import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as kafka from '@platformatic/kafka';
import { openKafka, type KafkaClient, type MemberOptions } from '../../../src/kafka/index.ts';
import { Cluster } from '../../../src/kafka/native/cluster.ts';
import { joinNativeGroup } from '../../../src/kafka/native/member.ts';
import type { MemberTuning } from '../../../src/kafka/native/membership.ts';
import { realClock } from '../../../src/telemetry/index.ts';
import { readerOptions, send } from '../../../src/testing/kafka-client-setting.ts';
import { kafkaClasspath } from '../../support/kafka-tools.ts';
import { kafkaTool, serverSuite, uniqueName } from '../../support/servers.ts';
import { kafkaSettings, quietLog } from '../support/clients.ts';
import { WorkingMember } from './support/group-member.ts';

/** The least that a broker allows by default. */
const SESSION_MS = 6000;
const tuning: MemberTuning = { rebalanceMs: 20_000, watchMs: 300 };

serverSuite('members of a consumer group of a Kafka broker', ['kafka'], (where) => {
  let client: KafkaClient;
  let cluster: Cluster;
  let topic: string;
  let group: string;
  const members: WorkingMember[] = [];
  const children: ChildProcess[] = [];

  const settings = () => kafkaSettings({ driver: 'native', brokers: where.kafka.brokers.split(',') });
  const joined = (options: Partial<MemberOptions> = {}): WorkingMember => {
    const working = new WorkingMember(
      joinNativeGroup(
        cluster,
        {
          ...{ group, topics: [topic], instanceId: null, protocol: 'classic' },
          ...{ sessionTimeoutMs: SESSION_MS, heartbeatMs: 300, ...readerOptions() },
          ...options,
        },
        tuning,
      ),
    );
    members.push(working);
    return working;
  };
  const createTopic = async (partitions: number): Promise<void> => {
    topic = uniqueName('members');
    await client.createTopic({ name: topic, partitions, replicationFactor: 1 });
  };
  /** One record to each partition, `times` over. */
  const fill = async (partitions: number, times: number): Promise<void> => {
    const producer = await client.openProducer({});
    for (let time = 0; time < times; time++)
      await Promise.all(
        Array.from({ length: partitions }, (_, partition) => send(producer, topic, [`${time}`], { partition })),
      );
    await producer.close();
  };

  beforeAll(() => {
    client = openKafka(settings(), { clock: realClock, log: quietLog });
    cluster = new Cluster({ settings: settings(), clock: realClock, log: quietLog });
  });
  beforeEach(() => {
    group = uniqueName('group');
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await Promise.all(members.splice(0).map((member) => member.close()));
  });
  afterAll(async () => {
    await Promise.all([client.close(), cluster.close()]);
  });

  test('one that is killed loses its partitions to the others within the session time-out, one that is slow does not', async () => {
    await createTopic(8);
    const slowGroup = uniqueName('group');
    const [slow, other] = [joined({ group: slowGroup }), joined({ group: slowGroup })];
    const survivor = joined();
    const child = spawnMember(where.kafka.brokers, group, topic);
    children.push(child.process);
    await until(() => [slow, other, survivor].every(({ partitions }) => partitions.length === 4));
    await until(() => child.partitions() === 4);
    await fill(8, 20);
    await until(() => survivor.seen.length >= 4 * 20);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    slow.hold = promise;
    const diaries = [...slow.diary, ...other.diary];

    child.process.kill('SIGKILL');
    const killed = performance.now();
    await until(() => survivor.partitions.length === 8);
    expect(performance.now() - killed).toBeLessThan(SESSION_MS + 3000);
    await until(() => new Set(survivor.seen).size === 8 * 20);
    // What it kept was not begun anew.
    expect(survivor.diary.filter((entry) => entry.startsWith('lost'))).toEqual([]);
    expect(new Set(survivor.seen.slice(0, 80)).size).toBe(80);

    await delay(Math.max(0, killed + SESSION_MS + 500 - performance.now()));
    resolve(undefined);
    await slow.commit();
    expect([...slow.diary, ...other.diary]).toEqual(diaries);
  });

  test('five that are started anew in turn, again and again: what they read is complete, and they soon rest', async () => {
    await createTopic(10);
    let [rounds, isWriting] = [0, true];
    const writing = (async () => {
      for (; isWriting; rounds++) {
        await fill(10, 1);
        await delay(50);
      }
    })();
    const current = Array.from({ length: 5 }, () => joined());
    const rests = (): boolean => current.every(({ partitions }) => partitions.length === 2);
    await until(rests);
    const { generation: begun } = current[0]!.member.generation!;
    const restarts = 10;
    for (let restart = 0; restart < restarts; restart++) {
      await current[restart % 5]!.close();
      current[restart % 5] = joined();
      await delay(1000);
    }
    const ended = performance.now();
    await until(rests);
    expect(performance.now() - ended).toBeLessThan(10_000);
    const { generation: settled } = current[0]!.member.generation!;
    // Each leaves and joins, and each of these takes two generations: give up, then take over.
    expect(settled - begun).toBeLessThanOrEqual(4 * restarts);
    isWriting = false;
    await writing;
    await until(() => new Set(members.flatMap(({ seen }) => seen)).size === 10 * rounds);
    expect(current.map(({ member }) => member.generation!.generation)).toEqual(current.map(() => settled));
    expect(members.map(({ failure }) => failure)).toEqual(members.map(() => null));
  });

  test('a member that the group removed loses its partitions, joins anew and reads on', async () => {
    await createTopic(3);
    const working = joined();
    await until(() => working.partitions.length === 3);
    const broker = await cluster.connection({ coordinator: 'group', key: group });
    const { memberId } = working.member.generation!;
    await broker.call([kafka.leaveGroupV4.api], group, [{ memberId, groupInstanceId: null }]);
    await until(() => working.diary.length >= 3 && working.partitions.length === 3);
    expect(working.diary).toEqual(['+0,1,2', 'lost 0,1,2', '+0,1,2']);
    await fill(3, 1);
    await until(() => working.seen.length === 3);
    await working.commit();
  });

  test('a static member that comes back finds its partitions, and nobody else notices', async () => {
    await createTopic(4);
    const [stays, goes] = [joined({ instanceId: 'stays' }), joined({ instanceId: 'goes' })];
    await until(() => stays.partitions.length === 2 && goes.partitions.length === 2);
    const had = goes.partitions;
    const { generation } = stays.member.generation!;
    const entries = stays.diary.length;
    await goes.close();
    const back = joined({ instanceId: 'goes' });
    await until(() => back.partitions.length === 2);
    expect(back.partitions).toEqual(had);
    expect([back.member.generation?.generation, stays.member.generation?.generation]).toEqual([generation, generation]);
    expect(stays.diary).toHaveLength(entries);
  });

  test('a second member of the same instance id fences the first', async () => {
    await createTopic(1);
    const first = joined({ instanceId: 'same' });
    await until(() => first.partitions.length === 1);
    const second = joined({ instanceId: 'same' });
    await until(() => second.partitions.length === 1);
    await until(() => first.failure !== null);
    expect(first.failure).toMatchObject({ code: 'KAFKA_FENCED' });
  });

  test('more partitions of a topic are assigned too, without what is read already', async () => {
    await createTopic(2);
    const [first, second] = [joined(), joined()];
    await until(() => first.partitions.length === 1 && second.partitions.length === 1);
    const more = ['--bootstrap-server', where.kafka.brokers, '--alter', '--topic', topic, '--partitions', '6'];
    await kafkaTool('org.apache.kafka.tools.TopicCommand', more);
    await until(() => first.partitions.length === 3 && second.partitions.length === 3);
    await fill(6, 1);
    await until(() => first.seen.length + second.seen.length === 6);
  });

  test.each([
    ['that leads the group', 'org.apache.kafka.clients.consumer.CooperativeStickyAssignor', true],
    ['with its default assignors', null, false],
  ])('a Java consumer %s shares the partitions', async (_, assignor, isFirst) => {
    await createTopic(6);
    await fill(6, 3);
    const strategy = assignor === null ? [] : ['--command-property', `partition.assignment.strategy=${assignor}`];
    const consume = async (): Promise<ChildProcess> => {
      const parameters = ['--bootstrap-server', where.kafka.brokers, '--topic', topic, '--group', group];
      const child = await spawnJava('org.apache.kafka.tools.consumer.ConsoleConsumer', [
        ...parameters,
        ...['--from-beginning', '--command-property', 'heartbeat.interval.ms=300', ...strategy],
      ]);
      children.push(child);
      return child;
    };
    const first = isFirst ? await consume() : null;
    if (first !== null) await firstOutput(first);
    const working = joined();
    const java = first ?? (await consume());
    await until(() => working.partitions.length === 3);
    java.kill('SIGTERM');
    await until(() => working.partitions.length === 6);
    await working.commit();
  });

  describe('by the protocol of KIP-848', () => {
    test('two share, one closes, and what it had goes on where it was saved', async () => {
      await createTopic(4);
      await fill(4, 5);
      const [first, second] = [joined({ protocol: 'consumer' }), joined({ protocol: 'consumer' })];
      await until(() => first.partitions.length === 2 && second.partitions.length === 2);
      await until(() => new Set([...first.seen, ...second.seen]).size === 20);
      await second.commit();
      await second.close();
      await until(() => first.partitions.length === 4);
      await fill(4, 1);
      await until(() => new Set([...first.seen, ...second.seen]).size === 24);
      await first.commit();
      const saved = await client.groupOffsets(group);
      expect(saved.map(({ next }) => next)).toEqual([6, 6, 6, 6]);
      const foreign = second.member.commit([{ topic, partition: 0, next: 1 }]);
      await expect(foreign).rejects.toMatchObject({ code: 'KAFKA_CLOSED' });
    });

    test('a static member that comes back finds its partitions', async () => {
      await createTopic(2);
      const first = joined({ protocol: 'consumer', instanceId: 'one' });
      const second = joined({ protocol: 'consumer', instanceId: 'two' });
      await until(() => first.partitions.length === 1 && second.partitions.length === 1);
      const had = second.partitions;
      await second.close();
      const back = joined({ protocol: 'consumer', instanceId: 'two' });
      await until(() => back.partitions.length === 1);
      expect(back.partitions).toEqual(had);
      expect(first.partitions).toHaveLength(1);
    });
  });
});

/** Heartbeats and rebalances take their time on a busy machine. */
async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 25_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`it does not come to hold: ${holds.toString()}`);
    await delay(20);
  }
}

function spawnMember(
  brokers: string,
  group: string,
  topic: string,
): { readonly process: ChildProcess; readonly partitions: () => number } {
  const script = join(import.meta.dirname, 'support', 'member-process.ts');
  const parameters = ['-C', 'sluice-source', script, brokers, group, topic, String(SESSION_MS)];
  const child = spawn(process.execPath, parameters, { stdio: ['ignore', 'pipe', 'inherit'] });
  let partitions = 0;
  child.stdout.on('data', (bytes: Buffer) => {
    partitions = Number(bytes.toString().trim().split('\n').at(-1));
  });
  return { process: child, partitions: () => partitions };
}

async function spawnJava(main: string, parameters: readonly string[]): Promise<ChildProcess> {
  const command = 'java';
  const jvm = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
  const env = { ...process.env, CLASSPATH: (await kafkaClasspath())! };
  return spawn(command, [...jvm, main, ...parameters], { env, stdio: ['ignore', 'pipe', 'ignore'] });
}

async function firstOutput(child: ChildProcess): Promise<void> {
  await new Promise((resolve) => child.stdout!.once('data', resolve));
}
