import { BackOff } from '../../src/supervisor/back-off.ts';
import { placePipelines } from '../../src/supervisor/placement.ts';
import { watchWorkers } from '../../src/supervisor/watchdog.ts';
import type { Loss } from '../../src/supervisor/worker-thread.ts';
import { ManualClock } from '../../src/testing/manual-clock.ts';
import { pipelinePlan } from './support/hub.ts';

test('the back-off doubles up to a minute, and begins anew after a healthy minute', () => {
  const backOff = new BackOff(() => 0);
  const delays = Array.from({ length: 9 }, () => backOff.next(10));
  expect(delays).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
  expect(backOff.next(60_000)).toBe(500);
  expect(new BackOff(() => 1).next(0)).toBe(250);
});

test('pipelines are dealt out over no more workers than there are, those with isolation alone', () => {
  const plans = ['a', 'b', 'c'].map((name) => pipelinePlan(name));
  const alone = pipelinePlan('alone', { isolation: 'thread' });
  const names = (workers: number, all = [...plans, alone]): string[][] =>
    placePipelines(all, workers).map((group) => group.map(({ name }) => name));
  expect(names(2)).toEqual([['a', 'c'], ['b'], ['alone']]);
  expect(names(8)).toEqual([['a'], ['b'], ['c'], ['alone']]);
  expect(names(4, [alone])).toEqual([['alone']]);
});

class FakeThread {
  loss: Loss | null = null;
  memoryBytes = 10;
  lastBeatAt = 0;

  silentMs(now: number): number {
    return now - this.lastBeatAt;
  }

  forgive(now: number): void {
    this.lastBeatAt = now;
  }

  terminate(loss: Loss | null): void {
    this.loss = loss;
  }
}

function watched(): { clock: ManualClock; thread: FakeThread; end: () => Promise<void> } {
  const [clock, thread, over] = [new ManualClock(), new FakeThread(), new AbortController()];
  const plan = { watchdogMs: 4000, workerMemoryBytes: 100 };
  const watching = watchWorkers({ threads: () => [thread], plan, clock, signal: over.signal });
  return {
    clock,
    thread,
    end: () => {
      over.abort();
      return watching;
    },
  };
}

test('a worker is ended once its event loop was silent for longer than the deadline', async () => {
  const { clock, thread, end } = watched();
  await clock.advance(4000);
  expect(thread.loss).toBeNull();
  await clock.advance(1000);
  expect(thread.loss).toEqual({ cause: 'blocked', reason: 'the event loop was blocked for 5000 ms' });
  await end();
});

test('time in which the whole process stood still is not held against a worker', async () => {
  const { clock, thread, end } = watched();
  await clock.advance(1000);
  // What SIGSTOP looks like: one sleep takes a minute, and the worker had no time either.
  const jump = clock.monotonic.bind(clock);
  clock.monotonic = () => jump() + 60_000;
  await clock.advance(1000);
  expect(thread.loss).toBeNull();
  await clock.advance(5000);
  expect(thread.loss?.cause).toBe('blocked');
  await end();
});

test('memory above the budget must last two looks: garbage may be collected', async () => {
  const { clock, thread, end } = watched();
  const beat = async (): Promise<void> => {
    thread.lastBeatAt = clock.monotonic();
    await clock.advance(1000);
  };
  thread.memoryBytes = 101;
  await beat();
  thread.memoryBytes = 99;
  await beat();
  thread.memoryBytes = 101;
  await beat();
  expect(thread.loss).toBeNull();
  await beat();
  expect(thread.loss?.cause).toBe('memory');
  await end();
});
