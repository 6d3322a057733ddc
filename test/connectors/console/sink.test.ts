import { PassThrough, Writable } from 'node:stream';
import type { ConsoleFormat } from '../../../connectors/console/format.ts';
import { ConsoleSink } from '../../../connectors/console/sink.ts';
import { createSinkHarness, ManualClock, type SinkHarness } from '../../../src/testing/index.ts';

function consoleSink(options: { format?: ConsoleFormat; maxPerSecond?: number; output?: Writable } = {}): {
  harness: SinkHarness;
  clock: ManualClock;
  printed: () => string;
} {
  const clock = new ManualClock();
  const output = options.output ?? new PassThrough();
  let text = '';
  if (output instanceof PassThrough) output.on('data', (data: Buffer) => (text += data.toString()));
  const settings = { format: 'pretty' as const, maxPerSecond: Infinity, ...options, output };
  const harness = createSinkHarness({ create: (context) => new ConsoleSink(settings, context), clock, partitions: 2 });
  return { harness, clock, printed: () => text };
}

const time = Date.UTC(2026, 10, 23, 14, 5, 9, 7);

test('for people a record is a line', async () => {
  const { harness, printed } = consoleSink();
  harness.append(0, [{ value: '{"a":1}', timestamp: time }]);
  harness.append(1, [
    { value: 'text', key: 'k1', timestamp: time },
    { value: null, timestamp: time },
  ]);
  await harness.start();
  await harness.write();
  await harness.stop();
  expect(printed()).toBe('14:05:09.007  0@0  {"a":1}\n14:05:09.007  1@0  k1  text\n14:05:09.007  1@1  (null)\n');
  expect(harness.status).toBe('3 printed');
});

test('no record gets at the terminal', async () => {
  const { harness, printed } = consoleSink();
  const evil = 'a\u001b[2J\u0007\r\nb\tc\u009b1m\u202egnp.exe\u2028';
  harness.append(0, [
    { value: evil, key: '\u001b]0;x\u0007', timestamp: time },
    { value: Buffer.from([0x1b, 0xff]), timestamp: time },
  ]);
  await harness.start();
  await harness.write();
  expect(printed()).toBe(
    '14:05:09.007  0@0  \\u{1b}]0;x\\u{7}  a\\u{1b}[2J\\u{7}\\r\\nb\\tc\\u{9b}1m\\u{202e}gnp.exe\\u{2028}\n14:05:09.007  0@1  \\u{1b}\ufffd\n',
  );
});

test('a long value is cut for people', async () => {
  const { harness, printed } = consoleSink();
  harness.append(0, [{ value: 'x'.repeat(1_000_000), timestamp: time }]);
  await harness.start();
  await harness.write();
  expect(printed()).toBe(`14:05:09.007  0@0  ${'x'.repeat(2000)}… (1,000,000 characters)\n`);
});

test('for programs a record is a JSON object, its value as it is', async () => {
  const { harness, printed } = consoleSink({ format: 'ndjson' });
  harness.append(0, [
    { value: '{"n":\n12345678901234567890}', key: 'k', timestamp: 5, headers: [['h', Buffer.from('v')]] },
    { value: 'text', timestamp: 6 },
    { value: Buffer.from([0xff]), timestamp: 7 },
    { value: null, timestamp: 8 },
  ]);
  await harness.start();
  await harness.write();
  const start = '{"topic":"lines","partition":0';
  expect(printed().split('\n')).toEqual([
    `${start},"offset":0,"timestamp":5,"key":"k","headers":[["h","v"]],"value":{"n": 12345678901234567890}}`,
    `${start},"offset":1,"timestamp":6,"key":null,"value":"text"}`,
    `${start},"offset":2,"timestamp":7,"key":null,"value":{"base64":"/w=="}}`,
    `${start},"offset":3,"timestamp":8,"key":null,"value":null}`,
    '',
  ]);
});

describe('max_per_second', () => {
  const values = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index));

  test('prints so many, and says at the end of the second how many more there were', async () => {
    const { harness, clock, printed } = consoleSink({ maxPerSecond: 2 });
    harness.append(0, values(1500));
    await harness.start();
    expect(await harness.write()).toEqual({ failures: [] });
    expect(printed().split('\n')).toHaveLength(3);
    expect(harness.status).toBe('2 printed, 1,498 skipped');
    await clock.advance(1000);
    expect(printed().split('\n')[2]).toBe('… 1,498 more records, not printed (max_per_second: 2)');
    await harness.stop();
    expect(printed().split('\n')).toHaveLength(4);
  });

  test('the next second prints again', async () => {
    const { harness, clock, printed } = consoleSink({ maxPerSecond: 2 });
    harness.append(0, values(6));
    await harness.start();
    for (let round = 0; round < 6; round++) {
      await harness.write({ maxRecords: 1 });
      await clock.advance(250);
    }
    await harness.stop();
    const lines = printed().trimEnd().split('\n');
    expect(lines.map((text) => text.replace(/^.* {2}/, ''))).toEqual([
      '0',
      '1',
      '… 2 more records, not printed (max_per_second: 2)',
      '4',
      '5',
    ]);
  });

  test('what was skipped last is told at the end', async () => {
    const { harness, printed } = consoleSink({ maxPerSecond: 1 });
    harness.append(0, values(2));
    await harness.start();
    await harness.write();
    await harness.stop();
    expect(printed()).toMatch(/… 1 more record, not printed \(max_per_second: 1\)\n$/);
  });

  test('programs read no such lines', async () => {
    const { harness, clock, printed } = consoleSink({ maxPerSecond: 1, format: 'ndjson' });
    harness.append(0, values(3));
    await harness.start();
    await harness.write();
    await clock.advance(1000);
    await harness.stop();
    expect(printed().trimEnd().split('\n')).toHaveLength(1);
    expect(harness.status).toBe('1 printed, 2 skipped');
  });
});

describe('an output that takes nothing', () => {
  const stuck = (): Writable => new Writable({ write: () => undefined });

  test('holds the sink up', async () => {
    let take = (): void => undefined;
    const output = new Writable({
      write: (_chunk, _encoding, callback) => {
        take = callback;
      },
    });
    const { harness } = consoleSink({ output });
    harness.append(0, ['a']);
    await harness.start();
    let isDone = false;
    const writing = harness.write().then(() => (isDone = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(isDone).toBe(false);
    take();
    await writing;
    expect(isDone).toBe(true);
  });

  test('does not hold up the end', async () => {
    const { harness } = consoleSink({ output: stuck() });
    harness.append(0, ['a']);
    await harness.start();
    const writing = harness.write();
    harness.kill();
    await expect(writing).rejects.toMatchObject({ name: 'AbortError' });
  });
});

test('a broken output is tried again', async () => {
  const output = new Writable({
    write: (_chunk, _encoding, callback) => {
      callback(new Error('EPIPE'));
    },
  });
  output.on('error', () => undefined);
  const { harness } = consoleSink({ output });
  harness.append(0, ['a']);
  await harness.start();
  await expect(harness.write()).rejects.toMatchObject({ code: 'SINK_UNAVAILABLE', retryable: true });
});
