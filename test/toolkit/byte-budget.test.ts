import fc from 'fast-check';
import { ManualClock } from '../../src/testing/index.ts';
import { ByteBudget } from '../../src/toolkit/index.ts';

test('gives what is left, and no more', () => {
  const budget = new ByteBudget(100);
  expect(budget.tryTake(60)).toBe(true);
  expect(budget.tryTake(41)).toBe(false);
  expect(budget.tryTake(40)).toBe(true);
  budget.give(60);
  expect([budget.usedBytes, budget.tryTake(60)]).toEqual([40, true]);
});

test('those that wait are served in their order, and nobody passes them', async () => {
  const clock = new ManualClock();
  const budget = new ByteBudget(100);
  budget.tryTake(100);
  const granted: string[] = [];
  const wait = async (name: string, bytes: number): Promise<void> => {
    if (await budget.take(bytes, { clock, timeoutMs: 1000 })) granted.push(name);
  };
  const waits = [wait('large', 80), wait('small', 10)];
  budget.give(50);
  expect(budget.tryTake(10)).toBe(false);
  budget.give(50);
  await Promise.all(waits);
  expect([granted, budget.usedBytes]).toEqual([['large', 'small'], 90]);
});

test('who waits too long gets nothing and holds up nobody', async () => {
  const clock = new ManualClock();
  const budget = new ByteBudget(100);
  budget.tryTake(50);
  const large = budget.take(80, { clock, timeoutMs: 1000 });
  const small = budget.take(20, { clock, timeoutMs: 2000 });
  await clock.advance(1000);
  expect([await large, await small, budget.usedBytes]).toEqual([false, true, 70]);
});

test('no history of takes and gives loses or invents a byte', async () => {
  const step = fc.record({ bytes: fc.integer({ min: 1, max: 60 }), waits: fc.boolean(), givesFirst: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const clock = new ManualClock();
      const budget = new ByteBudget(100);
      const held: number[] = [];
      const pending: Promise<unknown>[] = [];
      for (const { bytes, waits, givesFirst } of steps) {
        if (givesFirst && held.length > 0) budget.give(held.shift()!);
        if (!waits) {
          if (budget.tryTake(bytes)) held.push(bytes);
          continue;
        }
        const taken = budget.take(bytes, { clock, timeoutMs: 10 });
        pending.push(taken.then((isGranted) => (isGranted ? held.push(bytes) : 0)));
        expect(budget.usedBytes).toBeLessThanOrEqual(100);
      }
      const all = Promise.all(pending);
      await clock.advance(10);
      await all;
      expect(budget.usedBytes).toBe(held.reduce((sum, bytes) => sum + bytes, 0));
      for (const bytes of held) budget.give(bytes);
      expect(budget.usedBytes).toBe(0);
    }),
  );
});
