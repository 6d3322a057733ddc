import { FaultyDisk, seededRandom } from '../../../src/testing/index.ts';
import { codeOf } from '../../../src/testing/topic-log-reader.ts';
import { Life, orGone, planOf } from './support/life.ts';
import { LogModel, observe } from './support/model.ts';
import { randomSteps, run } from './support/workload.ts';

// Segments and journals roll every few records, and retention takes what the sinks have passed.
const plan = planOf('orders', { topic: { retentionBytes: 2000 }, sinks: ['one', 'two'] });
const plans = [plan];

jest.setTimeout(60_000);

interface Fate {
  readonly seed: number;
  readonly end: 'kill' | 'crash';
  /** Ends at each so-many-th operation. */
  readonly stride: number;
}

/** Lives that share a disk, each ended at an operation. The model goes on from life to life. */
class Story {
  readonly model: LogModel;
  readonly disk: FaultyDisk;
  readonly #seed: number;
  #lives = 0;

  constructor(disk: FaultyDisk, seed: number, model = new LogModel()) {
    this.disk = disk;
    this.#seed = seed;
    this.model = model;
  }

  /** What follows from here with other chances. */
  copy(chance: number): Story {
    const copy = new Story(this.disk.copy(chance), this.#seed, this.model.copy());
    copy.#lives = this.#lives;
    return copy;
  }

  /** Runs a life until its steps are done, or it is gone. */
  async live(steps: number, endAt = Infinity): Promise<'gone' | 'done'> {
    const life = ++this.#lives;
    this.disk.endAt(endAt);
    const gone = this.disk.mount();
    const work = async (): Promise<'done'> => {
      const alive = await Life.begin(this.disk, plans);
      await run(alive, plan, randomSteps(plan, seededRandom(this.#seed * 100 + life), { life, steps }), this.model);
      await alive.end();
      return 'done';
    };
    return orGone(gone, work());
  }

  /** What is there now is what may be there, and a new commit is taken and found. */
  async check(): Promise<void> {
    const alive = await Life.begin(this.disk, plans);
    const log = await alive.log(plan.pipeline);
    const look = async () => observe(await alive.view(), log, { pipeline: plan.pipeline, sources: ['source'] });
    this.model.recover(await look());
    const { gone } = alive.mount;
    const batches = [{ topic: plan.topic.name, partition: 0, values: [`check ${++this.#lives}`] }];
    await this.model.commit(log, { batches, positions: [], dedupe: [] }, gone);
    this.model.check(await look());
    await alive.end();
  }
}

/** How many changing operations a life of so many steps has. */
async function operationsOf(seed: number, steps: number): Promise<number> {
  const story = new Story(new FaultyDisk(seed), seed);
  expect(await story.live(steps)).toBe('done');
  const { operations } = story.disk;
  await story.check();
  return operations;
}

function every(stride: number, last: number, first: number): number[] {
  return Array.from({ length: Math.ceil((last - first + 1) / stride) }, (_, index) => first + index * stride);
}

describe.each<Fate>([
  { seed: 1, end: 'crash', stride: 2 },
  { seed: 2, end: 'crash', stride: 3 },
  { seed: 3, end: 'crash', stride: 4 },
  { seed: 4, end: 'kill', stride: 4 },
])('a life that ends at any operation (seed $seed, $end)', ({ seed, end, stride }) => {
  test('is followed by one that finds what was acknowledged, all of a request or nothing, in order', async () => {
    const operations = await operationsOf(seed, 60);
    expect(operations).toBeGreaterThan(150);
    for (const at of every(stride, operations, 1)) {
      const story = new Story(new FaultyDisk(seed * 10_000 + at), seed);
      try {
        await story.live(60, at);
        if (end === 'crash') story.disk.crash();
        else story.disk.kill();
        await story.check();
      } catch (error) {
        throw new Error(`ended at operation ${at} of ${operations}`, { cause: error });
      }
    }
  });
});

test('a recovery that ends at any operation is followed by one that recovers', async () => {
  const seed = 5;
  const operations = await operationsOf(seed, 40);
  for (const at of every(17, operations, 3)) {
    const left = new Story(new FaultyDisk(seed * 10_000 + at), seed);
    await left.live(40, at);
    left.disk.crash();
    for (let second = 1; ; second++) {
      const story = left.copy(at * 1000 + second);
      story.disk.endAt(second);
      const gone = story.disk.mount();
      const isOver = (await orGone(gone, recovery(story.disk))) === 'done';
      story.disk.crash();
      await story.check();
      if (isOver) break;
      expect(second).toBeLessThan(200);
    }
  }
});

async function recovery(disk: FaultyDisk): Promise<'done'> {
  const life = await Life.begin(disk, plans);
  await life.log(plan.pipeline);
  return 'done';
}

test('many lives in a row, each ended somewhere, on one disk', async () => {
  for (let seed = 10; seed < 25; seed++) {
    const random = seededRandom(seed);
    const story = new Story(new FaultyDisk(seed), seed);
    for (let life = 0; life < 8; life++) {
      await story.live(30, 1 + Math.floor(random() * 150));
      if (random() < 0.7) story.disk.crash();
      else story.disk.kill();
      // Also tells the model which of the unanswered requests there are: those of one life say nothing about the next.
      await story.check();
    }
    await story.check();
  }
});

/** Faults that pass, at any operation: each request is answered rightly, whatever comes then. */
test.each(['EIO', 'ENOSPC', 'EMFILE', 'short'] as const)('%s at any operation of a life', async (fault) => {
  const seed = 6;
  const steps = 40;
  const operations = await operationsOf(seed, steps);
  // No descriptor is left for a new file (FLUME-3348); those that are open go on.
  const kinds = {
    EIO: ['write', 'sync', 'truncate', 'create', 'rename', 'syncFolder'],
    ENOSPC: ['write', 'create'],
    EMFILE: ['create'],
    short: ['write', 'create'],
  }[fault];
  for (const at of every(2, operations, 12)) {
    const story = new Story(new FaultyDisk(seed * 10_000 + at), seed);
    let left = 1 + (at % 3);
    story.disk.onOperation = ({ number, kind, bytes }) => {
      if (number < at || left <= 0 || !kinds.includes(kind)) return undefined;
      left--;
      return fault === 'short' ? { short: Math.floor(bytes / 2) } : fault;
    };
    try {
      await story.live(steps).catch(unlessDiskFailed);
      story.disk.onOperation = null;
      if (at % 4 < 2) story.disk.crash();
      else story.disk.kill();
      await story.check();
    } catch (error) {
      throw new Error(`${fault} from operation ${at} of ${operations}`, { cause: error });
    }
  }
});

/** A hub may end when it cannot start, or not start a pipeline again, on a disk that fails. */
function unlessDiskFailed(error: unknown): void {
  if (!['LOG_IO', 'LOG_FULL', 'EIO', 'ENOSPC', 'EMFILE'].includes(codeOf(error))) throw error;
}
