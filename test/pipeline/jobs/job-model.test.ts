import fc from 'fast-check';
import { setTimeout as sleep } from 'node:timers/promises';
import { FastClock } from '../support/clock.ts';
import { fill, numbered } from '../support/fill.ts';
import { MemoryLog } from '../support/memory-log.ts';
import { eventually, startTest, type Started } from '../support/pipeline.ts';
import { JobCluster, type JobWay } from './support/job-cluster.ts';

const scenario = fc.record({
  partitions: fc.integer({ min: 1, max: 3 }),
  fills: fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 2, maxLength: 8 }),
  maxRecords: fc.integer({ min: 5, max: 80 }),
  looks: fc.integer({ min: 1, max: 4 }),
  ways: fc.array(fc.constantFrom<JobWay>('succeed', 'fail', 'forget', 'refuse', 'lose_reply', 'lose_and_hide'), {
    maxLength: 25,
  }),
  events: fc.array(fc.constantFrom('kill', 'stop', 'revoke', 'away', 'wait'), { maxLength: 6 }),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer Value> ? Value : never;

describe('the runner of jobs', () => {
  test('every offset is in exactly one output, whatever jobs do and however hubs end', async () => {
    await fc.assert(fc.asyncProperty(scenario, check), { numRuns: 60, endOnFailure: true });
  }, 60_000);
});

async function check({ partitions, fills, maxRecords, looks, ways, events }: Scenario): Promise<void> {
  const log = new MemoryLog({ topics: { in: partitions, dead: 1 } });
  const cluster = new JobCluster();
  cluster.ways = [...ways];
  cluster.looksToEnd = looks;
  const start = (once = false): Started =>
    startTest({
      log,
      once,
      clock: new FastClock(50),
      sinks: [cluster.definition({ maxRecords, maxAgeMs: 30, attempts: 1000 })],
    });
  let next = 0;
  const pour = async (): Promise<void> => {
    const count = fills[next];
    if (count !== undefined) await fill(log, next++ % partitions, numbered(count));
  };
  await pour();
  const lives = [start()];
  for (const event of events) {
    await pour();
    await sleep(4);
    const { pipeline } = lives.at(-1)!;
    const subscription = log.subscriptions.at(-1);
    if (event === 'away') cluster.isAway = !cluster.isAway;
    else if (event === 'revoke' && subscription !== undefined) {
      await subscription.revoke([0]);
      await sleep(2);
      subscription.assign([0]);
    } else if (event === 'kill' || event === 'stop') {
      // The next life begins while the calls of the one before are still out.
      const stopped = pipeline.stop({ deadlineMs: event === 'kill' ? 0 : 1000 });
      if (event === 'stop') await stopped;
      lives.push(start());
    }
  }
  cluster.isAway = false;
  while (next < fills.length) await pour();
  await lives.at(-1)!.pipeline.stop({ deadlineMs: 1000 });
  const last = start(true);
  expect(await last.pipeline.finished).toMatchObject({ outcome: 'drained', inFlight: 0 });
  for (let partition = 0; partition < partitions; partition++) {
    const end = log.end('in', partition);
    expect(log.savedOffsets.get('sink0')?.get(partition)).toBe(end);
    expect(cluster.offsets(partition)).toEqual(Array.from({ length: end }, (_, offset) => offset));
  }
  expect(log.savedPositions.get('job.sink0')?.size ?? 0).toBe(0);
  await eventually(() => lives.every(({ pipeline }) => pipeline.status().state === 'stopped'));
}
