import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { CompressedLines, gzipBy } from '../../../connectors/file/sink/content/compressed-lines.ts';
import type { Content } from '../../../connectors/file/sink/content/content.ts';
import type { WriteResult } from '../../../src/api/index.ts';
import type { SinkHarness } from '../../../src/testing/index.ts';
import { failure, Killed, MemoryStorage } from './support/memory-storage.ts';
import { fileSinkHarness, pathBy } from './support/sink.ts';

const folder = '/out';
const partitions = 2;

/** Counts what is published, and whether it is what the topic has, each record once. */
function expectExactlyOnce(storage: MemoryStorage, harness: SinkHarness): void {
  const expected = harness.topic.flat().map(({ value }) => value as string);
  expect(published(storage).sort()).toEqual(expected.sort());
}

function published(storage: MemoryStorage): string[] {
  const files = [...storage.files(folder)].filter(([path]) => !path.includes('/.sluice-files/'));
  return files.flatMap(([path, bytes]) => {
    const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
    expect(text.at(-1)).toBe('\n');
    return text.slice(0, -1).split('\n');
  });
}

const templates = pathBy(folder, (value) => `u${(value as { n: number }).n % 3}`);
const compressed: Content = {
  kind: 'lines',
  isJson: false,
  ending: '.log.gz',
  begin: () => new CompressedLines(gzipBy(1)),
};
const record = (partition: number, number: number): string => JSON.stringify({ p: partition, n: number });

/** Runs until the failure, then all operations fail as those of a dead process do. */
function killAt(storage: MemoryStorage, operation: number): void {
  let done = 0;
  storage.before = () => {
    if (++done > operation) throw new Killed();
  };
}

async function life(harness: SinkHarness, steps: (harness: SinkHarness) => Promise<void>): Promise<boolean> {
  try {
    await harness.start();
    await steps(harness);
    return true;
  } catch {
    harness.kill();
    return false;
  }
}

test.each([
  ['killed', false, 'one file'],
  ['killed', false, 'templates'],
  ['without power', true, 'one file'],
  ['without power', true, 'templates'],
])('each record is published once, %s (%s, %s) at any operation', async (_, losesPower, path) => {
  for (let operation = 0; ; operation++) {
    const storage = new MemoryStorage(random(operation + 1));
    const harness = fileSinkHarness({
      folder,
      storage,
      partitions,
      ...(path === 'templates' ? { path: templates } : {}),
    });
    for (let partition = 0; partition < partitions; partition++) {
      harness.append(
        partition,
        Array.from({ length: 6 }, (__, index) => record(partition, index)),
      );
    }
    killAt(storage, operation);
    const isOver = await life(harness, async () => {
      for (let round = 0; round < 3; round++) {
        const result = await harness.write({ maxRecords: 2 });
        if (result !== null && 'batch' in result) throw result.batch.error;
        await harness.flush();
      }
      await harness.stop();
    });
    storage.before = () => undefined;
    if (losesPower) storage.cutPower();
    expect(await life(harness, finish)).toBe(true);
    expectExactlyOnce(storage, harness);
    if (isOver) {
      expect(operation).toBeGreaterThan(50);
      return;
    }
  }
});

test('each record is published once, killed at any operation and again without power at any of the next life', async () => {
  let wasWholeLife = false;
  for (let first = 0; !wasWholeLife; first++) {
    for (let second = 0; ; second++) {
      const storage = new MemoryStorage(random(first * 1000 + second + 1));
      const harness = fileSinkHarness({ folder, storage });
      harness.append(0, [record(0, 0), record(0, 1)]);
      killAt(storage, first);
      wasWholeLife = await life(harness, finish);
      killAt(storage, second);
      const isOver = await life(harness, finish);
      storage.before = () => undefined;
      storage.cutPower();
      expect(await life(harness, finish)).toBe(true);
      expectExactlyOnce(storage, harness);
      if (isOver) break;
    }
  }
});

async function finish(harness: SinkHarness): Promise<void> {
  for (;;) {
    const result: WriteResult | null = await harness.write();
    if (result === null) break;
    if ('batch' in result) throw result.batch.error;
  }
  await harness.stop();
}

type Step =
  | { readonly type: 'append'; readonly partition: number; readonly count: number }
  | { readonly type: 'write'; readonly maxRecords: number }
  | { readonly type: 'flush'; readonly partition: number }
  | { readonly type: 'fail'; readonly after: number; readonly code: string }
  | { readonly type: 'fill'; readonly room: number }
  | { readonly type: 'heal' }
  | { readonly type: 'kill'; readonly losesPower: boolean }
  | { readonly type: 'stop' };

const partition = fc.nat({ max: partitions - 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('append' as const), partition, count: fc.integer({ min: 1, max: 8 }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant('write' as const), maxRecords: fc.integer({ min: 1, max: 6 }) }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('flush' as const), partition }) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('fail' as const),
      after: fc.nat({ max: 25 }),
      code: fc.constantFrom('ENOSPC', 'EIO', 'EMFILE', 'EACCES', 'killed'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('fill' as const), room: fc.nat({ max: 200 }) }) },
  { weight: 2, arbitrary: fc.constant({ type: 'heal' as const }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('kill' as const), losesPower: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ type: 'stop' as const }) },
);

test('each record is published once, whatever fails when', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.integer(), fc.boolean(), fc.boolean(), async (...args) => {
      const [steps, seed, isTemplate, isCompressed] = args;
      const storage = new MemoryStorage(random(seed));
      const harness = fileSinkHarness({
        folder,
        storage,
        partitions,
        maxOpenFiles: 2,
        // Blocks of a record or two: most are written long before their file ends.
        ...(isCompressed ? { content: compressed, roll: { size: 20 } } : {}),
        ...(isTemplate ? { path: templates } : {}),
      });
      const heal = (): void => {
        storage.before = () => undefined;
        storage.room = Infinity;
      };
      let isAlive = false;
      for (const one of steps) {
        try {
          if (one.type === 'append') {
            const from = harness.topic[one.partition]!.length;
            harness.append(
              one.partition,
              Array.from({ length: one.count }, (_, index) => record(one.partition, from + index)),
            );
          } else if (one.type === 'heal') heal();
          else if (one.type === 'fill') storage.room = one.room;
          else if (one.type === 'fail') failAfter(storage, one.after, one.code);
          else if (one.type === 'kill') {
            harness.kill();
            isAlive = false;
            if (one.losesPower) storage.cutPower();
          } else {
            if (!isAlive) await harness.start();
            isAlive = true;
            if (one.type === 'write') await harness.write(one);
            else if (one.type === 'flush') await harness.flush([one.partition]);
            else await harness.stop();
            if (one.type === 'stop') isAlive = false;
          }
        } catch {
          // As the engine does: this life is over, and the next begins at what was saved.
          harness.kill();
          isAlive = false;
        }
      }
      heal();
      harness.kill();
      await harness.start();
      await finish(harness);
      expectExactlyOnce(storage, harness);
      expect(leftovers(storage)).toEqual([]);
    }),
    { numRuns: 1000 },
  );
});

function failAfter(storage: MemoryStorage, after: number, code: string): void {
  let done = 0;
  storage.before = () => {
    if (done++ < after) return;
    if (code === 'killed') throw new Killed();
    storage.before = () => undefined;
    throw failure(code);
  };
}

function leftovers(storage: MemoryStorage): string[] {
  return [...storage.files(folder).keys()].filter((path) => path.endsWith('.temp'));
}

/** Mulberry32. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
