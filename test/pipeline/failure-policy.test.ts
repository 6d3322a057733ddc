import { SluiceError, type WriteResult } from '../../src/api/index.ts';
import { FastClock } from './support/clock.ts';
import { fill, numbered } from './support/fill.ts';
import { MemoryLog } from './support/memory-log.ts';
import {
  accepted,
  eventually,
  refusal,
  sinkOf,
  sourceOf,
  startTest,
  values,
  type Started,
} from './support/pipeline.ts';

const unavailable = (): SluiceError =>
  new SluiceError('SINK_UNAVAILABLE', 'connecting to "there": refused', { retryable: true });
const blocked = (): SluiceError => new SluiceError('SINK_BLOCKED', 'writing: HTTP 403');

const newLog = async (count: number): Promise<MemoryLog> => {
  const log = new MemoryLog({ topics: { in: 1, dead: 2 } });
  if (count > 0) await fill(log, 0, numbered(count));
  return log;
};

const sinkStatus = ({ pipeline }: Started): ReturnType<typeof pipeline.status>['sinks'][number] =>
  pipeline.status().sinks[0]!;

const stop = async ({ pipeline }: Started): Promise<void> => {
  await pipeline.stop({ deadlineMs: 2000 });
};

describe('the failure policy', () => {
  test('a transport error is tried again for ever; the leg is degraded and says why, then runs again', async () => {
    const log = await newLog(10);
    let writes = 0;
    const delivered: string[] = [];
    const sink = sinkOf((batch): WriteResult => {
      if (++writes <= 8) return { batch: { disposition: 'retry', error: unavailable() } };
      delivered.push(...values(batch));
      return accepted;
    });
    const started = startTest({ log, sinks: [sink] });
    await eventually(() => delivered.length === 10);
    expect(writes).toBe(9);
    expect(delivered).toEqual(numbered(10));
    expect(started.events.map(({ state, reason }) => [state, reason])).toEqual([
      ['running', null],
      ['degraded', 'sink0: connecting to "there": refused'],
      ['running', null],
    ]);
    expect(log.readAll('dead')).toEqual([]);
    await stop(started);
  });

  test('nothing is sent while the circuit is open, and Retry-After is honoured', async () => {
    const log = await newLog(3);
    const at: number[] = [];
    const clock = new FastClock(50);
    const sink = sinkOf(
      (): WriteResult => {
        at.push(clock.monotonic());
        return at.length === 1
          ? { batch: { disposition: 'retry', retryAfterMs: 5000, error: unavailable() } }
          : accepted;
      },
      { order: 'none' },
    );
    const started = startTest({ log, sinks: [sink], clock });
    await eventually(() => at.length === 1);
    await fill(log, 0, numbered(3, 3));
    await eventually(() => sinkStatus(started).records === 6);
    expect(at[1]! - at[0]!).toBeGreaterThanOrEqual(5000);
    await stop(started);
  });

  test('a refused record becomes a dead letter with its cause; the others pass', async () => {
    const log = await newLog(5);
    const delivered: string[] = [];
    const sink = sinkOf((batch): WriteResult => {
      delivered.push(...values(batch).filter((value) => value !== '3'));
      return { failures: [{ index: values(batch).indexOf('3'), disposition: 'reject', error: refusal() }] };
    });
    const started = startTest({ log, sinks: [sink] });
    await eventually(() => log.savedOffsets.get('sink0')?.get(0) === 5);
    expect(delivered).toEqual(['0', '1', '2', '4']);
    const [letter, ...more] = log.readAll('dead');
    expect(more).toEqual([]);
    expect(letter).toMatchObject({ value: '3', key: null, timestamp: 1_700_000_000_000 });
    expect(letter!.headers).toMatchObject({
      '__connect.errors.topic': 'in',
      '__connect.errors.partition': '0',
      '__connect.errors.offset': '3',
      '__connect.errors.connector.name': 'sink0',
      '__connect.errors.stage': 'write',
      '__connect.errors.exception.class.name': 'SluiceError',
      '__connect.errors.exception.message': 'writing a record: it is poison',
      'sluice.errors.v': '1',
      'sluice.errors.pipeline': 'test',
      'sluice.errors.config_hash': '0123456789ab',
      'sluice.errors.code': 'SINK_REJECTED',
      'sluice.errors.attempts': '1',
      'sluice.errors.hops': '1',
      'sluice.errors.incarnation': 'AAAAAAAA',
    });
    expect(sinkStatus(started)).toMatchObject({ read: 5, records: 4, deadLettered: 1, inFlight: 0, lag: 0 });
    await stop(started);
  });

  test('the offset passes a refused record only once its dead letter is durable', async () => {
    let isFull = true;
    const log = new MemoryLog({
      topics: { in: 1, dead: 1 },
      onCommit: ({ batches }) => {
        if (isFull && batches?.some(({ topic }) => topic === 'dead'))
          throw new SluiceError('LOG_FULL', 'writing', { retryable: true });
      },
    });
    await fill(log, 0, numbered(4));
    const sink = sinkOf((): WriteResult => ({ failures: [{ index: 1, disposition: 'reject', error: refusal() }] }));
    const started = startTest({ log, sinks: [sink], clock: new FastClock(20) });
    await eventually(() => sinkStatus(started).state === 'paused');
    await eventually(() => log.savedOffsets.get('sink0')?.get(0) === 1);
    expect(sinkStatus(started).reason).toContain('dead letters cannot be kept');
    isFull = false;
    await eventually(() => log.savedOffsets.get('sink0')?.get(0) === 4);
    expect(sinkStatus(started).state).toBe('running');
    expect(log.readAll('dead')).toHaveLength(1);
    await stop(started);
  });

  test('a value that `where` cannot decode is refused at the stage `where`; a false one is dropped', async () => {
    const log = await newLog(0);
    await fill(log, 0, ['{"n":1}', '{oops', '{"n":2}']);
    const delivered: string[] = [];
    const sink = sinkOf((batch) => {
      delivered.push(...values(batch));
      return accepted;
    });
    const started = startTest({ log, sinks: [sink], sink: { where: 'value.n == 2' } });
    await eventually(() => log.savedOffsets.get('sink0')?.get(0) === 3);
    expect(delivered).toEqual(['{"n":2}']);
    expect(log.readAll('dead')).toMatchObject([
      { value: '{oops', headers: { '__connect.errors.stage': 'where', 'sluice.errors.code': 'DECODE_INVALID' } },
    ]);
    expect(sinkStatus(started)).toMatchObject({ read: 3, records: 1, dropped: 1, deadLettered: 1 });
    await stop(started);
  });

  test('a batch that is too large is halved; a record that is too large alone is a dead letter', async () => {
    const log = await newLog(16);
    const delivered: string[] = [];
    const sink = sinkOf((batch): WriteResult => {
      const error = new SluiceError('SINK_REJECTED', 'writing: HTTP 413');
      if (batch.count > 4 || values(batch).includes('9')) return { batch: { disposition: 'split', error } };
      delivered.push(...values(batch));
      return accepted;
    });
    const started = startTest({ log, sinks: [sink] });
    await eventually(() => log.savedOffsets.get('sink0')?.get(0) === 16);
    expect(delivered).toEqual(numbered(16).filter((value) => value !== '9'));
    expect(log.readAll('dead').map(({ value }) => value)).toEqual(['9']);
    await stop(started);
  });

  test('a batch that is refused as a whole is bisected down to the guilty record', async () => {
    const log = await newLog(100);
    const delivered: string[] = [];
    let writes = 0;
    const sink = sinkOf((batch): WriteResult => {
      writes++;
      if (values(batch).includes('77')) return { batch: { disposition: 'reject', error: refusal() } };
      delivered.push(...values(batch));
      return accepted;
    });
    const started = startTest({ log, sinks: [sink] });
    await eventually(() => log.savedOffsets.get('sink0')?.get(0) === 100);
    expect(delivered).toEqual(numbered(100).filter((value) => value !== '77'));
    expect(writes).toBeLessThan(20);
    await stop(started);
  });

  test('a block pauses the leg, says why, and is tried again every 30 s', async () => {
    const log = await newLog(5);
    const clock = new FastClock(100);
    const at: number[] = [];
    const sink = sinkOf((): WriteResult => {
      at.push(clock.monotonic());
      return at.length < 3 ? { batch: { disposition: 'block', error: blocked() } } : accepted;
    });
    const started = startTest({ log, sinks: [sink], clock });
    await eventually(() => at.length === 1);
    await eventually(() => sinkStatus(started).state === 'paused');
    expect(started.pipeline.status()).toMatchObject({ state: 'paused', reason: 'sink0: writing: HTTP 403' });
    await eventually(() => sinkStatus(started).records === 5);
    expect(at[1]! - at[0]!).toBeGreaterThanOrEqual(30_000);
    expect(sinkStatus(started).state).toBe('running');
    await stop(started);
  });

  test('`resume` ends a block at once', async () => {
    const log = await newLog(5);
    let isMended = false;
    const sink = sinkOf((): WriteResult =>
      isMended ? accepted : { batch: { disposition: 'block', error: blocked() } },
    );
    const started = startTest({ log, sinks: [sink] });
    await eventually(() => sinkStatus(started).state === 'paused');
    isMended = true;
    started.pipeline.resume();
    await eventually(() => sinkStatus(started).records === 5);
    await stop(started);
  });

  test('an item with an unknown error gets three attempts, then the leg pauses; it is never dropped', async () => {
    const log = await newLog(3);
    const attempts: string[][] = [];
    const sink = sinkOf((batch): WriteResult => {
      attempts.push(values(batch));
      const index = values(batch).indexOf('1');
      return index < 0 ? accepted : { failures: [{ index, disposition: 'retry', error: refusal(false) }] };
    });
    const started = startTest({ log, sinks: [sink] });
    await eventually(() => sinkStatus(started).state === 'paused');
    expect(attempts).toEqual([['0', '1', '2'], ['1'], ['1']]);
    expect(log.readAll('dead')).toEqual([]);
    expect(sinkStatus(started)).toMatchObject({ records: 2, inFlight: 1, deadLettered: 0 });
    await stop(started);
  });

  test.each([
    [unavailable(), 'degraded'],
    [blocked(), 'paused'],
  ])('a SluiceError that is thrown counts for the whole batch: %p', async (error, state) => {
    const log = await newLog(3);
    const sink = sinkOf(() => {
      throw error;
    });
    const started = startTest({ log, sinks: [sink] });
    await eventually(() => sinkStatus(started).state === state);
    expect(sinkStatus(started)).toMatchObject({ reason: error.message, inFlight: 3, deadLettered: 0 });
    await stop(started);
  });

  test('a bug gets three attempts, then the record that throws is found and refused', async () => {
    const log = await newLog(32);
    const sizes: number[] = [];
    const delivered: string[] = [];
    const sink = sinkOf((batch) => {
      sizes.push(batch.count);
      if (values(batch).includes('5')) throw new TypeError('Cannot read properties of undefined');
      delivered.push(...values(batch));
      return accepted;
    });
    const started = startTest({ log, sinks: [sink] });
    await eventually(() => log.savedOffsets.get('sink0')?.get(0) === 32);
    expect(sizes.slice(0, 5)).toEqual([32, 32, 32, 16, 8]);
    expect(delivered).toEqual(numbered(32).filter((value) => value !== '5'));
    const [letter] = log.readAll('dead');
    expect(letter).toMatchObject({ value: '5', headers: { 'sluice.errors.code': 'CONNECTOR_BUG' } });
    expect(letter!.headers['__connect.errors.exception.message']).toContain('Cannot read properties');
    await stop(started);
  });

  test.each([[{ failures: [{ index: 7, disposition: 'reject', error: refusal() }] }], [undefined], [{}]])(
    'a result that breaks the contract is a bug, not an acceptance: %j',
    async (result) => {
      const log = await newLog(2);
      const sink = sinkOf(() => result as WriteResult);
      const started = startTest({ log, sinks: [sink] });
      await eventually(() => log.readAll('dead').length === 2);
      expect(sinkStatus(started)).toMatchObject({ records: 0, deadLettered: 2 });
      await stop(started);
    },
  );

  test('too many dead letters within a minute pause the leg until it is resumed, and count anew then', async () => {
    const log = await newLog(3000);
    const sink = sinkOf((batch): WriteResult => ({
      failures: values(batch).map((_, index) => ({ index, disposition: 'reject', error: refusal() })),
    }));
    const started = startTest({ log, sinks: [sink], sink: { batch: { maxRecords: 100, maxBytes: 1e6, maxAgeMs: 0 } } });
    await eventually(() => sinkStatus(started).state === 'paused');
    const refused = sinkStatus(started).deadLettered;
    expect(refused).toBeGreaterThanOrEqual(1000);
    expect(refused).toBeLessThan(1500);
    expect(sinkStatus(started).reason).toContain('records were refused within a minute');
    started.pipeline.resume();
    await eventually(
      () => sinkStatus(started).deadLettered >= refused + 1000 && sinkStatus(started).state === 'paused',
    );
    await stop(started);
  });

  test('with `dead_letter: off` the leg pauses instead, and nothing is dropped', async () => {
    const log = await newLog(4);
    let isMended = false;
    const delivered: string[] = [];
    const sink = sinkOf((batch): WriteResult => {
      const index = isMended ? -1 : values(batch).indexOf('2');
      delivered.push(...values(batch).filter((_, at) => at !== index));
      return index < 0 ? accepted : { failures: [{ index, disposition: 'reject', error: refusal() }] };
    });
    const started = startTest({ log, sinks: [sink], deadLetter: { topic: null } });
    await eventually(() => sinkStatus(started).state === 'paused');
    expect(sinkStatus(started)).toMatchObject({ records: 3, inFlight: 1, deadLettered: 0 });
    expect(sinkStatus(started).reason).toContain('dead letters are off');
    isMended = true;
    started.pipeline.resume();
    await eventually(() => delivered.includes('2'));
    await stop(started);
  });

  test('records of a partition wait behind its retried batch; other partitions go on', async () => {
    const log = new MemoryLog({ topics: { in: 2, dead: 1 } });
    await fill(log, 0, ['a1', 'a2']);
    let isMended = false;
    const delivered: string[] = [];
    const sink = sinkOf((batch): WriteResult => {
      const stuck = isMended ? -1 : values(batch).indexOf('a1');
      const isPlain = values(batch).every((_, index) => index !== stuck);
      delivered.push(...values(batch).filter((_, index) => index !== stuck));
      return isPlain ? accepted : { failures: [{ index: stuck, disposition: 'retry', error: refusal(true) }] };
    });
    const started = startTest({ log, sinks: [sink] });
    await eventually(() => delivered.includes('a2'));
    await fill(log, 0, ['a3']);
    await fill(log, 1, ['b1', 'b2']);
    await eventually(() => delivered.includes('b2'));
    expect(delivered).toEqual(['a2', 'b1', 'b2']);
    isMended = true;
    await eventually(() => delivered.includes('a3'));
    expect(delivered).toEqual(['a2', 'b1', 'b2', 'a1', 'a3']);
    await stop(started);
  });

  test('a key that makes a record larger than the limit is refused with its record; those beside it pass', async () => {
    const log = new MemoryLog({ topics: { in: 1, dead: 1 } });
    const texts = ['small', 'x'.repeat(60_000), 'y'.repeat(49_000)];
    const source = sourceOf(async (context) => {
      const batch = await context.batch(200_000);
      for (const text of texts) batch.append(Buffer.from(JSON.stringify({ text })), Buffer.from('old'));
      await context.emit(batch);
    });
    const started = startTest({ log, sources: [source], source: { key: 'value.text' } });
    await eventually(() => log.readAll('in').length === 2);
    expect(log.readAll('in').map(({ key }) => key)).toEqual([texts[0], texts[2]]);
    const [letter, ...more] = log.readAll('dead');
    expect(more).toEqual([]);
    expect(letter).toMatchObject({ key: 'old', value: JSON.stringify({ text: texts[1] }) });
    expect(letter!.headers).toMatchObject({
      'sluice.errors.code': 'RECORD_TOO_LARGE',
      '__connect.errors.stage': 'key',
      '__connect.errors.exception.message': expect.stringContaining('120011 bytes') as string,
    });
    await stop(started);
  });
});
