import type { SinkContext, SinkDefinition, Sink } from '../../../src/api/index.ts';
import { storedBatch, type TestRecord } from '../../../src/testing/batches.ts';
import { FastClock } from '../../pipeline/support/clock.ts';
import { MemoryLog } from '../../pipeline/support/memory-log.ts';
import { accepted, eventually, sinkOf, startTest } from '../../pipeline/support/pipeline.ts';

export interface Fault {
  /** The sink of the pipeline. */
  readonly create: (context: SinkContext) => Promise<Sink>;
  readonly order: NonNullable<SinkDefinition['order']>;
  /** What the topic holds when the pipeline starts, in one partition. */
  readonly records: readonly TestRecord[];
  /** What it gets when the fault is over, or when all of `records` are done where nothing is said. */
  readonly later: readonly TestRecord[];
  /** What the pipeline says of itself while the fault lasts: `degraded: …` or `paused: …`. */
  readonly says?: RegExp;
  /** Called once it was said. */
  readonly ends?: () => Promise<unknown>;
}

export interface Outcome {
  /** `CODE message`, by the offset of the record. */
  readonly deadLetters: Readonly<Record<string, string>>;
  readonly delivered: number;
}

/** A minute's pause takes a second. */
const SPEED = 60;

/** A pipeline with this sink, from before a fault until everything after it is done. */
export async function liveThrough({ create, order, records, later, says, ends }: Fault): Promise<Outcome> {
  const log = new MemoryLog({ topics: { in: 1, dead: 1 } });
  await append(log, records);
  const { pipeline } = startTest({
    log,
    sinks: [{ ...sinkOf(() => accepted, { order }), create: (_options, context) => create(context) }],
    sink: { batch: { maxRecords: 10, maxBytes: 64 * 1024 * 1024, maxAgeMs: 0 }, retry: { minMs: 6000, maxMs: 12_000 } },
    bufferBytes: 64 * 1024 * 1024,
    clock: new FastClock(SPEED),
  });
  const sink = (): ReturnType<typeof pipeline.status>['sinks'][number] => pipeline.status().sinks[0]!;
  const isDone = (count: number) => (): boolean => sink().records + sink().deadLettered === count && sink().lag === 0;
  const all = records.length + later.length;
  let said = '';
  try {
    if (says === undefined) await eventually(isDone(records.length), 30_000);
    else {
      await eventually(() => {
        const { state, reason } = pipeline.status();
        said = `${state}: ${reason ?? ''}`;
        return says.test(said);
      }, 15_000).catch(() => {
        throw new Error(`the pipeline says ${JSON.stringify(said)}, and not ${String(says)}`);
      });
      await ends?.();
    }
    await append(log, later);
    await eventually(isDone(all), 30_000);
    await eventually(() => pipeline.status().state === 'running', 5000);
    return { deadLetters: deadLettersIn(log), delivered: sink().records };
  } finally {
    await pipeline.stop({ deadlineMs: 2000 });
  }
}

async function append(log: MemoryLog, records: readonly TestRecord[]): Promise<void> {
  if (records.length === 0) return;
  await log.commit({ batches: [{ topic: 'in', partition: 0, bytes: storedBatch(records), count: records.length }] });
}

function deadLettersIn(log: MemoryLog): Record<string, string> {
  return Object.fromEntries(
    log.readAll('dead').map(({ headers }) => {
      const of = (name: string): string => headers[name] ?? '';
      const cause = `${of('sluice.errors.code')} ${of('__connect.errors.exception.message')}`;
      return [of('__connect.errors.offset'), cause];
    }),
  );
}

/** An answer of HTTP, for `Proxy.lies`. */
export function httpAnswer(status: string, body: string, headers: Readonly<Record<string, string>> = {}): string {
  const all = { 'Content-Type': 'application/json', 'Content-Length': String(body.length), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status}\r\n${lines.join('')}\r\n${body}`;
}
