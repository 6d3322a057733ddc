import { SluiceError, type SourceContext } from '../../src/api/index.ts';
import { createSourceHarness, type SourceHarness, type SourceHarnessOptions } from '../../src/testing/index.ts';

/** Emits its numbers one by one from the saved position on, without waiting for the emits. */
function counting(
  total: number,
  options: Partial<SourceHarnessOptions> & { rewinds?: boolean; onEmit?: (emitted: Promise<void>) => void } = {},
): SourceHarness {
  const run = async (context: SourceContext): Promise<void> => {
    const saved = ((await context.load(['numbers'])).get('numbers') ?? 0) as number;
    const emitted: Promise<void>[] = [];
    for (let next = saved; next < total; next++) {
      const batch = await context.batch();
      batch.append(Buffer.from(String(next)));
      const emit = context.emit(batch, { stream: 'all', positions: [['numbers', next + 1]] });
      options.onEmit?.(emit);
      emitted.push(emit);
    }
    await Promise.allSettled(emitted);
    context.signal.throwIfAborted();
    context.report('counted');
  };
  return createSourceHarness({ create: () => ({ run }), ...options });
}

const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => String(from + index));

test('collects what was emitted, in order, with the newest position', async () => {
  const harness = counting(5);
  await harness.start();
  await harness.ended;
  expect(harness.values).toEqual(numbers(0, 5));
  expect(harness.records[0]).toMatchObject({ key: null, headers: [], stream: 'all' });
  expect([...harness.positions]).toEqual([['numbers', 5]]);
  expect(harness.status).toBe('counted');
  expect(harness.pool.usedBytes).toBe(0);
});

test('a position is saved with its emit, not before; a kill forgets the rest', async () => {
  const harness = counting(5);
  harness.hold();
  await harness.start();
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(harness.inFlight).toBe(5);
  expect([...harness.positions]).toEqual([]);
  await harness.kill();
  expect([harness.values, [...harness.positions], harness.pool.usedBytes]).toEqual([[], [], 0]);
  await harness.start();
  await harness.ended;
  expect(harness.values).toEqual(numbers(0, 5));
});

test('after a rejected emit a source that rewinds is aborted, and what came later is rejected too', async () => {
  const settled: string[] = [];
  const onEmit = (emitted: Promise<void>): void => {
    emitted.then(
      () => settled.push('durable'),
      () => settled.push('rejected'),
    );
  };
  const harness = counting(4, { onEmit });
  harness.refuseNext();
  await harness.start();
  await expect(harness.ended).rejects.toMatchObject({ code: 'LOG_FULL' });
  expect(settled).toEqual(['rejected', 'rejected', 'rejected', 'rejected']);
  await harness.stop().catch(() => undefined);
  await harness.start();
  await harness.ended;
  expect(harness.values).toEqual(numbers(0, 4));
});

test('a source that cannot rewind goes on, and saves no position beyond the gap', async () => {
  const harness = counting(3, { rewinds: false });
  harness.refuseNext(new SluiceError('LOG_IO', 'writing'));
  await harness.start();
  await harness.ended;
  expect(harness.values).toEqual(['1', '2']);
  expect([...harness.positions]).toEqual([]);
});

test('the spent budget holds a source back, and its builders belong to one life', async () => {
  const harness = counting(1);
  const giveBack = harness.spendBudget();
  await harness.start();
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(harness.values).toEqual([]);
  giveBack();
  await harness.ended;
  expect(harness.values).toEqual(['0']);
  let late: SourceContext | undefined;
  const lending = createSourceHarness({
    create: () => ({
      async run(context) {
        late = context;
        await context.batch();
      },
    }),
  });
  await lending.start();
  await lending.ended;
  expect(lending.pool.usedBytes).toBe(0);
  await expect(late!.batch()).rejects.toMatchObject({ code: 'SOURCE_FAILED' });
  expect(late!.tryBatch()).toBeNull();
});

test('rejected input, ids and forgotten partitions are part of the commit', async () => {
  const harness = createSourceHarness({
    create: () => ({
      async run(context) {
        const batch = await context.batch();
        const error = new SluiceError('RECORD_TOO_LARGE', 'reading a line');
        const rejected = [{ value: Buffer.from('xx'), error, position: 'a@0' }];
        await context.emit(batch, { rejected, dedupeIds: ['id'], positions: [['a', { at: 1 }]] });
        expect(context.seen('id')).toBe(true);
        expect(await context.load()).toEqual(new Map([['a', { at: 1 }]]));
        await context.forget('a');
        context.log.warn({ path: 'a' }, 'gone');
      },
    }),
  });
  await harness.start();
  await harness.ended;
  expect(harness.rejected).toMatchObject([{ position: 'a@0', error: { code: 'RECORD_TOO_LARGE' } }]);
  expect(harness.positions.size).toBe(0);
  expect(harness.lines).toEqual([{ level: 'warn', fields: { path: 'a' }, message: 'gone' }]);
});
