import { ProducerBatch, sequenceAfter } from '../../../src/kafka/native/producer-batch.ts';
import { ProducerPartition } from '../../../src/kafka/native/producer-partition.ts';
import { AT } from '../../../src/record/layout.ts';
import { seededRandom } from '../../../src/testing/index.ts';
import { CODE, modelBatch, PartitionBroker } from './support/partition-broker.ts';

/** Between a partition's producer and its leaders: connections that break with requests on them, some of which arrive all the same, much later. */
class World {
  readonly broker = new PartitionBroker();
  readonly partition = new ProducerPartition('t', 0, { producerId: 7, epoch: 0 }, false);
  readonly acknowledged: number[] = [];
  readonly refused: number[] = [];
  readonly #random: () => number;
  readonly #counts: () => number;
  /** On the present connection, in order. */
  readonly #flying: { readonly batch: ProducerBatch; readonly bytes: Buffer }[] = [];
  /** On broken connections. */
  readonly #late: Buffer[] = [];
  #pushed = 0;
  #nextId = 8;
  findings = 0;

  constructor(seed: number, counts: (random: () => number) => number = (random) => 1 + Math.floor(random() * 3)) {
    this.#random = seededRandom(seed);
    this.#counts = () => counts(this.#random);
  }

  get pushed(): number {
    return this.#pushed;
  }

  push(isTooLarge = false): void {
    const id = this.#pushed++;
    if (isTooLarge) this.broker.tooLarge.add(id);
    this.partition.push(
      new ProducerBatch(this.partition, modelBatch(id, this.#counts()), {
        resolve: () => this.acknowledged.push(id),
        reject: () => this.refused.push(id),
      }),
    );
  }

  depart(): void {
    if (!this.partition.isReady()) return;
    const batch = this.partition.depart();
    this.#flying.push({ batch, bytes: Buffer.from(batch.bytes) });
  }

  /** The first request arrives, and its answer comes back. */
  answer(fault: 'none' | 'unwritten' | 'written' = 'none'): void {
    const flight = this.#flying.shift();
    if (flight === undefined) return;
    flight.batch.land();
    if (fault === 'unwritten') this.partition.returned();
    else this.#land(flight.batch, this.broker.append(flight.bytes), fault === 'written');
    this.recover();
  }

  /** Of the requests on it the first few were handled, those behind them come late or never. */
  breakConnection(): void {
    let isHandled = true;
    for (const { batch, bytes } of this.#flying) {
      batch.land();
      isHandled &&= this.#random() < 0.5;
      if (isHandled) this.broker.append(bytes);
      else if (this.#random() < 0.5) this.#late.push(bytes);
    }
    for (; this.#flying.length > 0; this.#flying.shift()) this.partition.returned();
    this.recover();
  }

  late(): void {
    const bytes = this.#late.shift();
    if (bytes !== undefined) this.broker.append(bytes);
  }

  recover(): void {
    if (!this.partition.isHeld || this.partition.flying > 0) return;
    this.partition.renew(this.partition.needsNewId ? { producerId: this.#nextId++, epoch: 0 } : null);
    this.partition.resume();
  }

  step(): void {
    const dice = this.#random();
    if (dice < 0.25) this.push();
    else if (dice < 0.28) this.push(true);
    else if (dice < 0.6) this.depart();
    else if (dice < 0.85) this.answer();
    else if (dice < 0.9) this.answer('unwritten');
    else if (dice < 0.93) this.answer('written');
    else if (dice < 0.96) this.breakConnection();
    else this.late();
  }

  finish(): void {
    while (!this.partition.isEmpty || this.partition.flying > 0) {
      this.depart();
      this.answer();
    }
    for (let late = 0; late < 1000; late++) this.late();
  }

  get written(): number[] {
    return this.broker.log.map(({ id }) => id);
  }

  #land(batch: ProducerBatch, { code, offset }: { code: number; offset: number }, isTimedOut: boolean): void {
    if (code === CODE.none && isTimedOut) this.partition.returned();
    else if (code === CODE.none) this.partition.written(batch, offset);
    else if (code === CODE.messageTooLarge) this.partition.refused(batch, new Error('too large'));
    else if (this.partition.returnedOutOfSequence(code === CODE.invalidEpoch)) this.findings++;
  }
}

const sorted = (ids: readonly number[]): number[] => ids.toSorted((left, right) => left - right);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

test.each(upTo(8))('each batch is written once and in order, whatever gets lost and comes late (%#)', (block) => {
  for (let seed = block * 100; seed < block * 100 + 100; seed++) {
    const world = new World(seed);
    for (let step = 0; step < 400; step++) world.step();
    world.finish();
    const good = upTo(world.pushed).filter((id) => !world.broker.tooLarge.has(id));
    expect({ seed, written: world.written, findings: world.findings }).toEqual({ seed, written: good, findings: 0 });
    expect(sorted(world.acknowledged)).toEqual(good);
    expect(sorted(world.refused)).toEqual([...world.broker.tooLarge]);
  }
});

test('where brokers lose what they know of a producer, nothing that was not acknowledged is lost, and order holds', () => {
  let findings = 0;
  for (let seed = 0; seed < 300; seed++) {
    const world = new World(seed);
    for (let step = 0; step < 300; step++) {
      world.step();
      if (step % 50 === 49) world.broker.forgetProducers();
    }
    world.finish();
    const good = upTo(world.pushed).filter((id) => !world.broker.tooLarge.has(id));
    expect(new Set(world.written)).toEqual(new Set(good));
    findings += world.findings;
  }
  expect(findings).toBeGreaterThan(0);
});

test('after an unclean election the partition goes on under the next epoch', () => {
  const world = new World(1);
  for (let batch = 0; batch < 4; batch++) {
    world.push();
    world.depart();
    world.answer();
  }
  world.broker.loseLast(7);
  world.push();
  world.push();
  world.finish();
  expect(world.written).toEqual([0, 1, 2, 4, 5]);
  expect(world.broker.log.map(({ epoch }) => epoch)).toEqual([0, 0, 0, 1, 1]);
});

test('an exhausted epoch is followed by another producer id', () => {
  const world = new World(1);
  for (let refusal = 0; refusal <= 0x7fff; refusal++) {
    world.push(true);
    world.depart();
    world.answer();
  }
  world.push();
  world.finish();
  expect(world.refused).toHaveLength(0x8000);
  expect(world.broker.log).toEqual([{ id: 0x8000, producerId: 8, epoch: 0 }]);
});

test('sequences begin again at 0 behind 2^31 - 1, and lost answers are recognised across that point', () => {
  const world = new World(3, () => 2 ** 28 - 1);
  for (let batch = 0; batch < 40; batch++) {
    world.push();
    world.depart();
    if (batch % 3 === 0) world.answer('written');
    world.answer();
  }
  world.finish();
  expect(world.written).toEqual(upTo(40));
  expect(sequenceAfter(2 ** 31 - 2, 1)).toBe(2 ** 31 - 1);
  expect(sequenceAfter(2 ** 31 - 1, 1)).toBe(0);
});

test('at most five batches fly, and one alone until the first is written', () => {
  const world = new World(1);
  for (let batch = 0; batch < 9; batch++) world.push();
  for (let batch = 0; batch < 9; batch++) world.depart();
  expect(world.partition.flying).toBe(1);
  world.answer();
  for (let batch = 0; batch < 9; batch++) world.depart();
  expect(world.partition.flying).toBe(5);
});

test('what is abandoned while it flies is refused when its answer comes, which means nothing else', () => {
  const world = new World(1);
  world.push();
  world.depart();
  world.partition.abandon(new Error('over'));
  expect(world.refused).toEqual([]);
  world.push();
  world.depart();
  world.answer();
  expect(world.refused).toEqual([0]);
  expect({ acknowledged: world.acknowledged, isHeld: world.partition.isHeld }).toEqual({
    acknowledged: [],
    isHeld: false,
  });
  world.finish();
  expect(world.written).toEqual([0, 1]);
  expect(world.acknowledged).toEqual([1]);
});

test('the same bytes are sent again', () => {
  const world = new World(1);
  world.push();
  const batch = world.partition.depart();
  const first = Buffer.from(batch.bytes);
  world.partition.returned();
  world.recover();
  expect(world.partition.depart().bytes.equals(first)).toBe(true);
  expect(first.readInt32BE(AT.baseSequence)).toBe(0);
});
