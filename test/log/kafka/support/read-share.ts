import type { TopicLog } from '../../../../src/log/index.ts';
import { BufferPool, RecordView } from '../../../../src/record/index.ts';

export interface Share {
  readonly values: string[];
  readonly assigned: ReadonlySet<number>;
  /** Resolves after the signal aborted. */
  readonly ended: Promise<void>;
}

/** Reads what the group gives to this hub, and commits each chunk before the next. */
export function readShare(
  log: TopicLog,
  { sink, topic, signal }: { readonly sink: string; readonly topic: string; readonly signal: AbortSignal },
): Share {
  const values: string[] = [];
  const assigned = new Set<number>();
  return { values, assigned, ended: read() };

  async function read(): Promise<void> {
    const pool = new BufferPool({ budgetBytes: 1 << 20, bufferBytes: 65_536 });
    const subscription = await log.subscribe({ sink, topic, start: 'earliest', pool, fetchBytes: 65_536 });
    for (;;) {
      const event = await subscription.next(signal);
      if (event === null) break;
      if (event.type === 'assigned') {
        for (const { partition, committed } of event.partitions) {
          assigned.add(partition);
          subscription.seek(partition, committed);
        }
      } else if (event.type === 'revoked') {
        for (const { partition } of event.partitions) assigned.delete(partition);
        event.done();
      } else {
        const { chunk } = event;
        const view = new RecordView({ decode: (bytes) => bytes });
        view.addStored(chunk.partition, chunk.bytes, chunk.from);
        for (let index = 0; index < view.count; index++) values.push(Buffer.from(view.value(index)!).toString());
        chunk.release();
        await subscription.commit([{ partition: chunk.partition.partition, next: chunk.next }]);
      }
    }
    await subscription.close();
  }
}
