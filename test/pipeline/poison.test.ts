import type { CommitRequest } from '../../src/log/topic-log.ts';
import { fill, numbered } from './support/fill.ts';
import { heapAfterCollection } from './support/heap.ts';
import { MemoryLog } from './support/memory-log.ts';
import { eventually, refusal, sinkOf, startTest } from './support/pipeline.ts';

const RECORDS = 100_000;
const MEGABYTE = 1024 * 1024;

/** Counts dead letters, and forgets them: what is measured is what the pipeline itself keeps. */
class ForgetfulLog extends MemoryLog {
  letters = 0;

  override commit(request: CommitRequest): Promise<void> {
    const kept = [];
    for (const batch of request.batches ?? []) {
      if (batch.topic === 'dead') this.letters += batch.count;
      else kept.push(batch);
    }
    return super.commit({ ...request, batches: kept });
  }
}

test('a hundred thousand records, all refused: the offset comes to the end, and the heap does not grow', async () => {
  const log = new ForgetfulLog({ topics: { in: 1, dead: 1 } });
  for (let from = 0; from < RECORDS; from += 1000) await fill(log, 0, numbered(1000, from));
  const before = heapAfterCollection();
  let during = 0;
  let writes = 0;
  const sink = sinkOf((batch) => {
    if (++writes % 25 === 0) during = Math.max(during, heapAfterCollection());
    const failures = Array.from({ length: batch.count }, (_, index) => {
      return { index, disposition: 'reject' as const, error: refusal() };
    });
    return { failures };
  });
  const { pipeline } = startTest({ log, sinks: [sink], deadLetter: { maxRate: null } });
  try {
    await eventually(() => log.savedOffsets.get('sink0')?.get(0) === RECORDS, 40_000);
    expect(log.letters).toBe(RECORDS);
    expect(pipeline.status().sinks[0]).toMatchObject({ lag: 0 });
    expect(during).toBeGreaterThan(0);
    expect(Math.max(during, heapAfterCollection()) - before).toBeLessThan(50 * MEGABYTE);
  } finally {
    await pipeline.stop({ deadlineMs: 2000 });
  }
}, 60_000);
