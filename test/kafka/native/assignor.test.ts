import { assignPartitions, type AssignableMember, type Assignment } from '../../../src/kafka/native/assignor.ts';
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../../../src/kafka/native/subscription.ts';
import { seededRandom } from '../../../src/testing/index.ts';

const nothing: ReadonlyMap<string, readonly number[]> = new Map();

function member(id: string, topics: readonly string[], owned = nothing, generation = -1): AssignableMember {
  return { id, topics, owned, generation };
}

/** `topic/partition` of a member. */
function listed(assigned: ReadonlyMap<string, readonly number[]> | undefined): string[] {
  return [...(assigned ?? nothing)].flatMap(([topic, partitions]) => partitions.map((one) => `${topic}/${one}`));
}

function sizes(assignment: Assignment): number[] {
  return [...assignment.values()].map((assigned) => listed(assigned).length).sort((a, b) => a - b);
}

test('a first member gets all, and nothing of a topic that does not exist', () => {
  const assignment = assignPartitions([member('a', ['t', 'none'])], new Map([['t', 3]]));
  expect(listed(assignment.get('a'))).toEqual(['t/0', 't/1', 't/2']);
});

test('a partition that its owner still has is given to nobody until it is given up', () => {
  const counts = new Map([['t', 4]]);
  const all = new Map([['t', [0, 1, 2, 3]]]);
  const first = assignPartitions([member('a', ['t'], all, 1), member('b', ['t'])], counts);
  expect(listed(first.get('a'))).toHaveLength(2);
  expect(listed(first.get('b'))).toEqual([]);
  const second = assignPartitions([member('a', ['t'], first.get('a'), 2), member('b', ['t'], nothing, 2)], counts);
  expect(second.get('a')).toEqual(first.get('a'));
  expect(listed(second.get('b'))).toHaveLength(2);
});

test('of two that claim a partition the one of the newer generation keeps it, once the other lets go', () => {
  const counts = new Map([['t', 1]]);
  const claim = new Map([['t', [0]]]);
  const contested = assignPartitions([member('a', ['t'], claim, 4), member('b', ['t'], claim, 5)], counts);
  expect([listed(contested.get('a')), listed(contested.get('b'))]).toEqual([[], []]);
  const settled = assignPartitions([member('a', ['t'], nothing, 6), member('b', ['t'], claim, 6)], counts);
  expect(listed(settled.get('b'))).toEqual(['t/0']);
});

test('members with different topics get only theirs, as even as their topics allow', () => {
  const members = [member('a', ['t', 'u']), member('b', ['u']), member('c', ['t'])];
  const assignment = assignPartitions(
    members,
    new Map([
      ['t', 6],
      ['u', 3],
    ]),
  );
  expect(listed(assignment.get('b')).every((one) => one.startsWith('u/'))).toBe(true);
  expect(listed(assignment.get('c')).every((one) => one.startsWith('t/'))).toBe(true);
  expect(sizes(assignment)).toEqual([3, 3, 3]);
});

/**
 * A group in which members come, go, forget a round and get other topics, over topics that grow. After each change rounds follow until nothing moves any more.
 */
test('a group that changes at random settles, balanced and without two owners at any time', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = seededRandom(seed);
    const upTo = (count: number): number => Math.floor(random() * count);
    const counts = new Map([
      ['t', 1 + upTo(12)],
      ['u', upTo(7)],
    ]);
    const owned = new Map<string, ReadonlyMap<string, readonly number[]>>();
    let generation = 0;
    let born = 0;
    for (let change = 0; change < 12; change++) {
      const kind = owned.size === 0 ? 0 : upTo(5);
      if (kind <= 1) owned.set(`m${born++}-${upTo(1000)}`, nothing);
      else if (kind === 2) owned.delete([...owned.keys()][upTo(owned.size)]!);
      else if (kind === 3) counts.set('u', counts.get('u')! + upTo(3));
      else owned.set([...owned.keys()][upTo(owned.size)]!, nothing);
      if (owned.size === 0) continue;
      const before = new Map(owned);
      const moved = settle(owned, counts, () => generation++);
      const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
      const loads = [...owned.values()].map((assigned) => listed(assigned).length);
      expect(loads.reduce((sum, load) => sum + load, 0)).toBe(total);
      expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
      // Nobody gives up more than what is above an even share.
      const share = Math.floor(total / owned.size);
      const above = [...before].reduce(
        (sum, [id, has]) => sum + (owned.has(id) ? Math.max(0, listed(has).length - share) : 0),
        0,
      );
      expect(moved).toBeLessThanOrEqual(above);
    }
  }
});

/** Rounds of one generation each, until all is as it was. Returns how often somebody had to give something up. */
function settle(
  owned: Map<string, ReadonlyMap<string, readonly number[]>>,
  counts: ReadonlyMap<string, number>,
  nextGeneration: () => number,
): number {
  let moved = 0;
  for (let round = 0; round < 4; round++) {
    const generation = nextGeneration();
    const members = [...owned].map(([id, has]) => member(id, ['t', 'u'], has, generation));
    const assignment = assignPartitions(members, counts);
    let gaveUp = 0;
    const held = new Set<string>();
    for (const { id, owned: has } of members) {
      const now = listed(assignment.get(id));
      // What is still in the hands of its owner until this round has ended nobody else may have.
      for (const one of new Set([...now, ...listed(has)])) {
        expect(held).not.toContain(one);
        held.add(one);
      }
      gaveUp += listed(has).filter((one) => !now.includes(one)).length;
      owned.set(id, assignment.get(id)!);
    }
    moved += gaveUp;
    if (gaveUp === 0) return moved;
  }
  throw new Error('the group does not settle');
}

test('many partitions of many members are assigned quickly', () => {
  const members = Array.from({ length: 50 }, (_, index) => member(`m${index}`, ['t']));
  const begun = performance.now();
  const assignment = assignPartitions(members, new Map([['t', 5000]]));
  expect(performance.now() - begun).toBeLessThan(2000);
  expect(new Set(sizes(assignment))).toEqual(new Set([100]));
});

describe('what members and leader tell each other', () => {
  const owned = new Map([
    ['t', [0, 2]],
    ['u', [1]],
  ]);

  test('a subscription and an assignment come back as they were', () => {
    const bytes = encodeSubscription(['u', 't'], owned, 7);
    expect(decodeSubscription('a', bytes)).toEqual({ id: 'a', topics: ['t', 'u'], owned, generation: 7 });
    expect(decodeAssignment(encodeAssignment(owned))).toEqual(owned);
    expect(decodeAssignment(Buffer.alloc(0))).toEqual(new Map());
  });

  test('a Java member before 3.4 tells its generation by user data alone', () => {
    const bytes = encodeSubscription(['t'], owned, 9);
    // Version 1 ends behind the owned partitions.
    const older = Buffer.concat([Buffer.from([0, 1]), bytes.subarray(2, bytes.length - 4 - 2)]);
    expect(decodeSubscription('a', older)).toMatchObject({ owned, generation: 9 });
  });
});
