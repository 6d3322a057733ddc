import { deepStrictEqual, equal, ok, rejects } from 'node:assert/strict';
import type { KafkaClient, KafkaMember, MemberOptions } from '../kafka/index.ts';
import { claims, code, madeTopic, readerOptions, send, type KafkaClientCheck } from './kafka-client-setting.ts';
import { KafkaTap, takeAssignment, valuesOf } from './kafka-tap.ts';

/** Of members of consumer groups, and of what groups save. */
export const kafkaGroupChecks: readonly KafkaClientCheck[] = [
  {
    name: 'a member gets all partitions, still until a seek, and saves what the next one goes on from',
    async run(setting) {
      const client = setting.open();
      const topic = await madeTopic(client, setting, { partitions: 2 });
      const group = setting.name('group');
      const producer = await client.openProducer({});
      for (const partition of [0, 1]) await send(producer, topic, ['a', 'b', 'c'], { partition });
      const first = joined(client, { group, topics: [topic] });
      const assigned = await takeAssignment(first, { seeks: false });
      deepStrictEqual(
        new Map([...assigned].sort()),
        new Map([
          [`${topic}/0`, null],
          [`${topic}/1`, null],
        ]),
      );
      equal(first.reader.generation?.group, group);
      await first.expectNothing();
      first.reader.seek(topic, 1, 0);
      deepStrictEqual(valuesOf(await first.read(3), 1), ['a', 'b', 'c']);
      await first.reader.commit([{ topic, partition: 1, next: 2 }]);
      deepStrictEqual(await client.groupOffsets(group), [{ topic, partition: 1, next: 2 }]);
      await first.reader.close();
      const second = joined(client, { group, topics: [topic] });
      const again = await takeAssignment(second);
      deepStrictEqual([again.get(`${topic}/0`), again.get(`${topic}/1`)], [null, 2]);
      deepStrictEqual(valuesOf(await second.read(4), 1), ['c']);
    },
  },
  {
    name: 'two members share the partitions; when one leaves the other gets its part, from where it was saved',
    async run(setting) {
      const client = setting.open();
      const topic = await madeTopic(client, setting, { partitions: 4 });
      const group = setting.name('group');
      const producer = await client.openProducer({});
      for (const partition of [0, 1, 2, 3]) await send(producer, topic, ['a', 'b'], { partition });
      const [first, second] = [new Sharing(client, group, topic), new Sharing(setting.open(), group, topic)];
      await until(first, second, () => first.owned.size === 2 && second.owned.size === 2);
      deepStrictEqual([...first.owned, ...second.owned].sort(), [0, 1, 2, 3]);
      const mine = [...second.owned].map((partition) => ({ topic, partition, next: 1 }));
      await second.member.commit(mine);
      const foreign = [...first.owned].map((partition) => ({ topic, partition, next: 1 }));
      await rejects(second.member.commit(foreign), code('KAFKA_REBALANCED'));
      await second.member.close();
      await until(first, null, () => first.owned.size === 4);
      for (const { partition } of mine) equal(first.committed.get(partition), 1);
    },
  },
  {
    name: 'a pattern finds topics that are made later',
    async run(setting) {
      const client = setting.open({ pace: 5 });
      const prefix = setting.name('pattern');
      const group = setting.name('group');
      const names = [`${prefix}-a`, `${prefix}-b`] as const;
      await client.createTopic({ name: names[0], partitions: 1, replicationFactor: 1 });
      const member = client.joinGroup(memberOptions({ group, topics: { pattern: new RegExp(`^${prefix}-[ab]$`) } }));
      const seen = new Set<string>();
      const tap = new KafkaTap(member);
      while (seen.size < names.length) {
        const event = await tap.event();
        if (event.type === 'revoked') event.done();
        if (event.type !== 'assigned') continue;
        for (const { topic } of event.partitions) seen.add(topic);
        if (seen.size === 1) await client.createTopic({ name: names[1], partitions: 1, replicationFactor: 1 });
      }
      deepStrictEqual([...seen].sort(), names);
    },
  },
  {
    name: 'describes a group with its members, an empty one, and none',
    async run(setting) {
      const client = setting.open();
      const topic = await madeTopic(client, setting);
      const group = setting.name('group');
      equal(await client.describeGroup(group), null);
      deepStrictEqual(await client.groupOffsets(group), []);
      const tap = joined(client, { group, topics: [topic] });
      await takeAssignment(tap);
      const found = await client.describeGroup(group);
      deepStrictEqual([found?.state, found?.protocol, found?.members.length], ['Stable', 'classic', 1]);
      ok(found!.members[0]!.host.length > 0);
      await tap.reader.commit([{ topic, partition: 0, next: 0 }]);
      await tap.reader.close();
      const empty = await client.describeGroup(group);
      deepStrictEqual([empty?.state, empty?.members], ['Empty', []]);
    },
  },
  {
    name: 'offsets of a group are set and deleted while nobody is in it, and refused otherwise',
    async run(setting) {
      const client = setting.open();
      const topic = await madeTopic(client, setting, { partitions: 2 });
      const group = setting.name('group');
      const at = (partition: number, next: number | null) => ({ topic, partition, next });
      await client.setGroupOffsets(group, [at(0, 5), at(1, 7)]);
      deepStrictEqual(await sortedOffsets(client, group), [at(0, 5), at(1, 7)]);
      const deleting = client.setGroupOffsets(group, [at(0, 6), at(1, null)]);
      if (setting.lacks.has('offset-delete')) await rejects(deleting, code('KAFKA_UNSUPPORTED'));
      else await deleting;
      const left = setting.lacks.has('offset-delete') ? [at(0, 6), at(1, 7)] : [at(0, 6)];
      deepStrictEqual(await sortedOffsets(client, group), left);
      const tap = joined(client, { group, topics: [topic] });
      equal((await takeAssignment(tap)).get(`${topic}/0`), 6);
      await rejects(client.setGroupOffsets(group, [at(0, 1)]), code('KAFKA_REFUSED'));
      deepStrictEqual(await sortedOffsets(client, group), left);
    },
  },
  {
    name: 'deletes a group; one that does not exist is no error, one with members is refused',
    async run(setting) {
      const client = setting.open();
      const topic = await madeTopic(client, setting);
      const group = setting.name('group');
      if (setting.lacks.has('group-delete')) {
        await rejects(client.deleteGroup(group), code('KAFKA_UNSUPPORTED'));
        return;
      }
      await client.deleteGroup(group);
      const tap = joined(client, { group, topics: [topic] });
      await takeAssignment(tap);
      await rejects(client.deleteGroup(group), code('KAFKA_REFUSED'));
      await tap.reader.commit([{ topic, partition: 0, next: 3 }]);
      await tap.reader.close();
      await client.deleteGroup(group);
      deepStrictEqual(await client.groupOffsets(group), []);
    },
  },
  {
    name: 'the protocol of KIP-848 works where it is claimed, and is refused where not',
    async run(setting) {
      const client = setting.open();
      const topic = await madeTopic(client, setting, { partitions: 2 });
      const options = memberOptions({ group: setting.name('group'), topics: [topic], protocol: 'consumer' });
      if (!(await claims(client, 'consumerProtocol'))) {
        const never = new AbortController().signal;
        await rejects(async () => client.joinGroup(options).next(never), code('KAFKA_UNSUPPORTED'));
        return;
      }
      const tap = new KafkaTap(client.joinGroup(options));
      equal((await takeAssignment(tap)).size, 2);
      await tap.reader.commit([{ topic, partition: 0, next: 0 }]);
      const found = await client.describeGroup(options.group);
      deepStrictEqual([found?.protocol, found?.members.length], ['consumer', 1]);
    },
  },
  {
    name: 'closing ends a member that waits, and it leaves its group',
    async run(setting) {
      const client = setting.open();
      const topic = await madeTopic(client, setting);
      const group = setting.name('group');
      const tap = joined(client, { group, topics: [topic] });
      await takeAssignment(tap);
      const waiting = tap.reader.next(new AbortController().signal);
      waiting.catch(() => undefined);
      await client.close();
      await rejects(waiting, code('KAFKA_CLOSED'));
      const found = await setting.open().describeGroup(group);
      deepStrictEqual(found?.members ?? [], []);
    },
  },
];

function memberOptions(
  options: Pick<MemberOptions, 'group' | 'topics'> & Partial<Pick<MemberOptions, 'protocol'>>,
): MemberOptions {
  return {
    ...readerOptions(),
    instanceId: null,
    protocol: 'classic',
    sessionTimeoutMs: 8000,
    heartbeatMs: 200,
    ...options,
  };
}

function joined(client: KafkaClient, options: Pick<MemberOptions, 'group' | 'topics'>): KafkaTap<KafkaMember> {
  return new KafkaTap(client.joinGroup(memberOptions(options)));
}

async function sortedOffsets(client: KafkaClient, group: string): ReturnType<KafkaClient['groupOffsets']> {
  return [...(await client.groupOffsets(group))].sort((left, right) => left.partition - right.partition);
}

/** A member that takes and gives as the group wants. */
class Sharing {
  readonly member: KafkaMember;
  readonly owned = new Set<number>();
  readonly committed = new Map<number, number | null>();

  constructor(client: KafkaClient, group: string, topic: string) {
    this.member = client.joinGroup(memberOptions({ group, topics: [topic] }));
  }

  async step(): Promise<void> {
    const event = await this.member.next(AbortSignal.timeout(100));
    if (event?.type === 'revoked') {
      for (const { partition } of event.partitions) this.owned.delete(partition);
      event.done();
    }
    if (event?.type === 'assigned')
      for (const { partition, committed } of event.partitions) {
        this.owned.add(partition);
        this.committed.set(partition, committed);
      }
  }
}

async function until(first: Sharing, second: Sharing | null, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!condition()) {
    ok(
      performance.now() < deadline,
      `the first owns ${[...first.owned].join()}, the second ${[...(second?.owned ?? [])].join()}`,
    );
    await Promise.all([first.step(), second?.step()]);
  }
}
