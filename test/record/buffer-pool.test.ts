import fc from 'fast-check';
import { BufferPool, type PooledBuffer } from '../../src/record/index.ts';

const never = new AbortController().signal;
const pool = (budget: number, reserve = 0): BufferPool =>
  new BufferPool({ budgetBytes: budget, bufferBytes: 10, reserveBytes: reserve });

/** Names in the order in which requests are granted. */
function recorder(): {
  granted: string[];
  track: (name: string, request: Promise<PooledBuffer>) => Promise<PooledBuffer>;
} {
  const granted: string[] = [];
  return {
    granted,
    track: async (name, request) => {
      const buffer = await request;
      granted.push(name);
      return buffer;
    },
  };
}

test('hands out whole buffers up to its budget', () => {
  const buffers = pool(30);
  const first = buffers.tryAcquire()!;
  expect(first.bytes).toHaveLength(10);
  expect(buffers.tryAcquire(11)!.bytes).toHaveLength(20);
  expect(buffers.usedBytes).toBe(30);
  expect(buffers.tryAcquire()).toBeNull();
  first.release();
  expect(buffers.usedBytes).toBe(20);
  expect(buffers.tryAcquire(11)).toBeNull();
  expect(buffers.tryAcquire(1)).not.toBeNull();
});

test('a request above the whole budget is granted alone', () => {
  const buffers = pool(30);
  const small = buffers.tryAcquire()!;
  expect(buffers.tryAcquire(100)).toBeNull();
  small.release();
  const large = buffers.tryAcquire(100)!;
  expect(large.bytes).toHaveLength(100);
  expect(buffers.tryAcquire()).toBeNull();
  large.release();
  expect(buffers.usedBytes).toBe(0);
});

test('a buffer comes back to the next user, and cannot be touched after its release', () => {
  const buffers = pool(30);
  const first = buffers.tryAcquire()!;
  const { bytes } = first;
  first.release();
  expect(() => first.bytes).toThrow('was released');
  expect(() => {
    first.release();
  }).toThrow('a second time');
  expect(buffers.tryAcquire()!.bytes).toBe(bytes);
});

test('requests are served in their order: a small one does not pass a large one that waits', async () => {
  const buffers = pool(30);
  const held = [buffers.tryAcquire()!, buffers.tryAcquire()!, buffers.tryAcquire()!];
  const { granted, track } = recorder();
  const large = track('large', buffers.acquire(20, never));
  const small = track('small', buffers.acquire(10, never));
  held[0]!.release();
  await Promise.resolve();
  expect(granted).toEqual([]);
  expect(buffers.tryAcquire()).toBeNull();
  held[1]!.release();
  await large;
  expect(granted).toEqual(['large']);
  held[2]!.release();
  await small;
  expect(granted).toEqual(['large', 'small']);
});

test('who aborts leaves the line, and lets those behind it through', async () => {
  const buffers = pool(30);
  const held = [buffers.tryAcquire(20)!, buffers.tryAcquire()!];
  const controller = new AbortController();
  const large = buffers.acquire(30, controller.signal);
  const small = buffers.acquire(10, never);
  held[1]!.release();
  controller.abort(new Error('no longer wanted'));
  await expect(large).rejects.toThrow('no longer wanted');
  expect((await small).bytes).toHaveLength(10);
  await expect(buffers.acquire(10, AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
  expect(buffers.usedBytes).toBe(30);
  held[0]!.release();
});

test('the reserve is for those who ask for it, who pass the others and of whom one is always granted', async () => {
  const buffers = pool(40, 10);
  const held = [buffers.tryAcquire(30)!];
  expect(buffers.tryAcquire()).toBeNull();
  const { granted, track } = recorder();
  const ordinary = track('ordinary', buffers.acquire(10, never));
  held.push(await track('reserve', buffers.acquire(10, never, true)));
  expect(granted).toEqual(['reserve']);
  expect(buffers.tryAcquire(10, true)).toBeNull();
  held[1]!.release();
  // Even when all of the budget is out and more than is left is asked for.
  const alone = buffers.tryAcquire(50, true)!;
  expect(buffers.usedBytes).toBe(80);
  expect(buffers.tryAcquire(10, true)).toBeNull();
  alone.release();
  held[0]!.release();
  (await ordinary).release();
  expect(buffers.usedBytes).toBe(0);
});

test('whoever asks for whatever in whichever order: the budget holds, all get theirs, all comes back', async () => {
  const step = fc.record({ bytes: fc.integer({ min: 1, max: 45 }), abort: fc.boolean(), release: fc.nat(10) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const buffers = pool(40);
      const held: PooledBuffer[] = [];
      const asked: Promise<void>[] = [];
      for (const { bytes, abort, release } of steps) {
        const controller = new AbortController();
        asked.push(
          buffers.acquire(bytes, controller.signal).then(
            (buffer) => void held.push(buffer),
            () => undefined,
          ),
        );
        if (abort) controller.abort(new Error('aborted'));
        await Promise.resolve();
        if (held.length > 0 && release < 5) held.splice(release % held.length, 1)[0]!.release();
        const out = held.reduce((sum, buffer) => sum + buffer.bytes.length, 0);
        if (held.length > 1) expect(out).toBeLessThanOrEqual(40);
      }
      const state = { isOver: false };
      void Promise.all(asked).then(() => (state.isOver = true));
      while (!state.isOver || held.length > 0) {
        held.shift()?.release();
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(buffers.usedBytes).toBe(0);
      expect(buffers.tryAcquire(40)).not.toBeNull();
    }),
  );
});
