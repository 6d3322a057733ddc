export interface AssignableMember {
  readonly id: string;
  readonly topics: readonly string[];
  /** What it has at the moment, by topic. */
  readonly owned: ReadonlyMap<string, readonly number[]>;
  /** Of the assignment that it has them from; -1: none. */
  readonly generation: number;
}

/** By member, then by topic. */
export type Assignment = ReadonlyMap<string, ReadonlyMap<string, readonly number[]>>;

interface Slot {
  readonly topic: string;
  readonly partition: number;
  /** Who says that it has it. */
  readonly claims: AssignableMember[];
  holder: Load | null;
}

interface Load {
  readonly member: AssignableMember;
  readonly topics: ReadonlySet<string>;
  readonly slots: Set<Slot>;
}

/**
 * Spreads partitions over members: each keeps what it has as far as the balance allows, loads of members with the same topics differ by one at most, and a
 * partition that somebody else still has is given to nobody: its owner gives it up first, and the next round gives it away. That is what Kafka's
 * CooperativeStickyAssignor promises, whose members may be in the same group.
 */
export function assignPartitions(
  members: readonly AssignableMember[],
  partitionCounts: ReadonlyMap<string, number>,
): Assignment {
  const loads = members
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map((member): Load => ({ member, topics: new Set(member.topics), slots: new Set() }));
  const slots = slotsOf(loads, partitionCounts);
  for (const slot of slots) keep(slot, loads);
  for (const slot of slots) if (slot.holder === null) give(slot, lightest(loads, slot.topic));
  balance(loads);
  return new Map(loads.map(({ member, slots: held }) => [member.id, granted(member, held)]));
}

function slotsOf(loads: readonly Load[], partitionCounts: ReadonlyMap<string, number>): readonly Slot[] {
  const slots = new Map<string, Slot>();
  for (const [topic, count] of [...partitionCounts].toSorted(([a], [b]) => (a < b ? -1 : 1)))
    for (let partition = 0; partition < count; partition++)
      slots.set(`${topic} ${partition}`, { topic, partition, claims: [], holder: null });
  for (const { member } of loads)
    for (const [topic, partitions] of member.owned)
      for (const partition of partitions) slots.get(`${topic} ${partition}`)?.claims.push(member);
  return [...slots.values()];
}

/** Of several claims the one of the newest generation counts; of two of the same generation none does. */
function keep(slot: Slot, loads: readonly Load[]): void {
  const newest = Math.max(...slot.claims.map(({ generation }) => generation));
  const owners = slot.claims.filter(({ generation }) => generation === newest);
  const owner = owners.length === 1 ? loads.find(({ member }) => member === owners[0]) : undefined;
  if (owner?.topics.has(slot.topic) === true) give(slot, owner);
}

function give(slot: Slot, to: Load | null): void {
  slot.holder?.slots.delete(slot);
  slot.holder = to;
  to?.slots.add(slot);
}

function lightest(loads: readonly Load[], topic: string): Load | null {
  let found: Load | null = null;
  for (const load of loads)
    if (load.topics.has(topic) && (found === null || load.slots.size < found.slots.size)) found = load;
  return found;
}

/** Each move lessens the difference of two loads by two, so that it ends. */
function balance(loads: readonly Load[]): void {
  for (;;) {
    const byLoad = loads.toSorted((a, b) => b.slots.size - a.slots.size);
    if (!moveOne(byLoad)) return;
  }
}

function moveOne(byLoad: readonly Load[]): boolean {
  for (const from of byLoad) {
    for (const to of byLoad.toReversed()) {
      if (from.slots.size - to.slots.size < 2) break;
      const slot = movable(from, to);
      if (slot === null) continue;
      give(slot, to);
      return true;
    }
  }
  return false;
}

/** Rather one that the receiver has already, or at least the giver has not. */
function movable(from: Load, to: Load): Slot | null {
  let found: Slot | null = null;
  for (const slot of from.slots) {
    if (!to.topics.has(slot.topic)) continue;
    if (slot.claims.includes(to.member)) return slot;
    if (found === null || (found.claims.includes(from.member) && !slot.claims.includes(from.member))) found = slot;
  }
  return found;
}

function granted(member: AssignableMember, held: ReadonlySet<Slot>): ReadonlyMap<string, readonly number[]> {
  const topics = new Map<string, number[]>();
  for (const { topic, partition, claims } of held) {
    if (claims.some((claimant) => claimant !== member)) continue;
    const partitions = topics.get(topic);
    if (partitions === undefined) topics.set(topic, [partition]);
    else partitions.push(partition);
  }
  for (const partitions of topics.values()) partitions.sort((a, b) => a - b);
  return topics;
}
