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

test('parts of a whole hold no more than it together, and whoever waits for it is next', async () => {
  const clock = new ManualClock();
  const whole = new ByteBudget(100, null);
  const [one, other, third] = [new ByteBudget(100, whole), new ByteBudget(100, whole), new ByteBudget(20, whole)];
  expect([one.tryTake(60), other.tryTake(50), other.tryTake(40), whole.usedBytes]).toEqual([true, false, true, 100]);
  const large = other.take(50, { clock, timeoutMs: 1000 });
  one.give(30);
  expect([third.tryTake(10), one.tryTake(10)]).toEqual([false, false]);
  one.give(30);
  expect([await large, whole.usedBytes, third.tryTake(10)]).toEqual([true, 90, true]);
});

test('who waits for the whole too long holds up nobody any more', async () => {
  const clock = new ManualClock();
  const whole = new ByteBudget(100, null);
  const [one, other] = [new ByteBudget(100, whole), new ByteBudget(100, whole)];
  one.tryTake(60);
  const large = other.take(50, { clock, timeoutMs: 1000 });
  const small = one.take(30, { clock, timeoutMs: 5000 });
  await clock.advance(1000);
  expect([await large, await small, whole.usedBytes]).toEqual([false, true, 90]);
});

test('no history of takes and gives loses or invents a byte', async () => {
  const step = fc.record({
    bytes: fc.integer({ min: 1, max: 60 }),
    waits: fc.boolean(),
    givesFirst: fc.boolean(),
    part: fc.nat(1),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const clock = new ManualClock();
      const whole = new ByteBudget(150, null);
      const parts = [new ByteBudget(100, whole), new ByteBudget(100, whole)];
      const held: { readonly bytes: number; readonly budget: ByteBudget }[] = [];
      const give = ({ bytes, budget }: (typeof held)[number]): void => {
        budget.give(bytes);
      };
      const pending: Promise<unknown>[] = [];
      for (const { bytes, waits, givesFirst, part } of steps) {
        const budget = parts[part]!;
        if (givesFirst && held.length > 0) give(held.shift()!);
        if (!waits) {
          if (budget.tryTake(bytes)) held.push({ bytes, budget });
          continue;
        }
        const taken = budget.take(bytes, { clock, timeoutMs: 10 });
        pending.push(taken.then((isGranted) => (isGranted ? held.push({ bytes, budget }) : 0)));
        expect(Math.max(...parts.map(({ usedBytes }) => usedBytes))).toBeLessThanOrEqual(100);
        expect(whole.usedBytes).toBeLessThanOrEqual(150);
        expect(whole.usedBytes).toBe(parts[0]!.usedBytes + parts[1]!.usedBytes);
      }
      const all = Promise.all(pending);
      await clock.advance(10);
      await all;
      expect(whole.usedBytes).toBe(held.reduce((sum, { bytes }) => sum + bytes, 0));
      for (const one of held) give(one);
      expect([whole.usedBytes, ...parts.map(({ usedBytes }) => usedBytes)]).toEqual([0, 0, 0]);
    }),
  );
});
