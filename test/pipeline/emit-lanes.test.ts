import { SluiceError, type SourceContext } from '../../src/api/index.ts';
import type { CommitRequest } from '../../src/log/topic-log.ts';
import { partitionForKey } from '../../src/record/index.ts';
import { MemoryLog } from './support/memory-log.ts';
import { eventually, sourceOf, startTest, type Started } from './support/pipeline.ts';

const PARTITIONS = 10;
const BUFFER_BYTES = 4 * 1024 * 1024;

/** A name that `partition_by: source` puts into this partition. */
function fileIn(partition: number): string {
  for (let number = 0; ; number++) {
    const name = `file-${number}`;
    if (partitionForKey(Buffer.from(name), PARTITIONS) === partition) return name;
  }
}

const FILES = Array.from({ length: PARTITIONS }, (_, partition) => fileIn(partition));
const [FIRST, SECOND, LAST] = [FILES[0]!, FILES[1]!, FILES[PARTITIONS - 1]!];

let healed: PromiseWithResolvers<undefined>;
let started: Started | null = null;
let log: MemoryLog;
let onCommit: (request: CommitRequest) => void | Promise<void>;

beforeEach(() => {
  healed = Promise.withResolvers<undefined>();
  onCommit = async ({ batches = [] }) => {
    if (batches.some(({ partition }) => partition === PARTITIONS - 1)) await healed.promise;
  };
  log = new MemoryLog({
    topics: { in: PARTITIONS, dead: 1 },
    partitionsFailApart: true,
    onCommit: (request) => onCommit(request),
  });
});

afterEach(async () => {
  healed.resolve(undefined);
  await started?.pipeline.stop({ deadlineMs: 1000 });
  started = null;
});

function start(run: (context: SourceContext) => Promise<void>, rewinds = true): Started {
  started = startTest({ log, sources: [sourceOf(run, { rewinds })], bufferBytes: BUFFER_BYTES });
  return started;
}

async function emit(context: SourceContext, file: string, from: number, count = 100): Promise<{ done: Promise<void> }> {
  const batch = await context.batch();
  for (let n = from; n < from + count; n++) batch.append(Buffer.from(`${file} ${n}`));
  return { done: context.emit(batch, { stream: file, positions: [[file, from + count]] }) };
}

const saved = (file: string): unknown => log.savedPositions.get('source0')?.get(file);
const inTopic = (file: string): string[] =>
  log.readAll('in').flatMap(({ value }) => (value!.startsWith(`${file} `) ? [value!] : []));
const numbered = (file: string, count: number): string[] => Array.from({ length: count }, (_, n) => `${file} ${n}`);

describe('one partition without a leader, nine fine', () => {
  test('checkpoints of the nine advance, only the tenth waits, and then all is there once', async () => {
    const [rounds, count] = [10, 200];
    const { pipeline } = start(async (context) => {
      for (let round = 0; round < rounds; round++)
        for (const file of FILES) await emit(context, file, round * count, count);
    });
    await eventually(() => FILES.slice(0, -1).every((file) => saved(file) === rounds * count));
    expect(saved(LAST)).toBeUndefined();
    expect(pipeline.status().sources[0]!.inFlight).toBe(rounds * count);
    healed.resolve(undefined);
    await eventually(() => pipeline.status().sources[0]!.state === 'done');
    for (const file of FILES) {
      expect(saved(file)).toBe(rounds * count);
      expect(inTopic(file)).toEqual(numbered(file, rounds * count));
    }
  });

  test('without an end of its input the source waits for the budget', async () => {
    let taken = 0;
    const { pipeline } = start(async (context) => {
      for (;;) {
        await emit(context, LAST, taken, 1000);
        taken += 1000;
      }
    });
    let before = -1;
    await eventually(() => {
      const isStill = taken === before && taken > 0;
      before = taken;
      return isStill;
    });
    expect(pipeline.status().sources[0]!.inFlight * `${LAST} 0`.length).toBeLessThan(BUFFER_BYTES);
    await pipeline.stop({ deadlineMs: 0 });
  });

  test('what deletes a position, or has no records, waits for no partition but only for its own', async () => {
    const settled: string[] = [];
    start(async (context) => {
      const note = (name: string, done: Promise<void>): Promise<number> => done.then(() => settled.push(name));
      const all = [
        note('last', (await emit(context, LAST, 0)).done),
        note('forget last', context.forget(LAST)),
        note('forget other', context.forget('other')),
        note('both', context.emit(await context.batch(), { positions: [[SECOND, 1]] })),
        note('behind both', (await emit(context, SECOND, 1)).done),
      ];
      await Promise.all(all);
    });
    await eventually(() => settled.length === 3);
    expect(settled).toEqual(['forget other', 'both', 'behind both']);
    healed.resolve(undefined);
    await eventually(() => settled.length === 5);
    expect(settled.slice(3)).toEqual(['last', 'forget last']);
    expect(saved(LAST)).toBeUndefined();
  });

  test('positions of several files wait for all of them, and what comes later until they have a place', async () => {
    const settled: string[] = [];
    start(async (context) => {
      const note = (name: string, done: Promise<void>): Promise<number> => done.then(() => settled.push(name));
      const all = [
        note('first', (await emit(context, FIRST, 0)).done),
        note('last', (await emit(context, LAST, 0)).done),
        note(
          'both',
          context.emit(await context.batch(), {
            positions: [
              [FIRST, 200],
              [LAST, 200],
            ],
          }),
        ),
        note('later', (await emit(context, SECOND, 0)).done),
      ];
      await Promise.all(all);
    });
    await eventually(() => settled.length === 2);
    expect(settled).toEqual(['first', 'later']);
    healed.resolve(undefined);
    await eventually(() => settled.length === 4);
    expect(settled.slice(2)).toEqual(['last', 'both']);
    expect([saved(FIRST), saved(LAST), saved(SECOND)]).toEqual([200, 200, 100]);
  });
});

test('where the source does not rewind, nothing positional is saved after a rejection, in whatever lane', async () => {
  onCommit = ({ batches = [] }) => {
    if (batches.some(({ partition }) => partition === PARTITIONS - 1))
      throw new SluiceError('LOG_FULL', 'writing', { retryable: true });
  };
  start(async (context) => {
    await (
      await emit(context, FIRST, 0)
    ).done;
    await (await emit(context, LAST, 0)).done.catch(() => undefined);
    await (
      await emit(context, FIRST, 100)
    ).done;
  }, false);
  await eventually(() => started!.pipeline.status().sources[0]!.state === 'done');
  expect(inTopic(FIRST)).toEqual(numbered(FIRST, 200));
  expect(saved(FIRST)).toBe(100);
});
