import { banner } from '../../src/cli/banner.ts';
import type { Output } from '../../src/cli/io.ts';
import { rate, timeSpan } from '../../src/cli/numbers.ts';
import { LineProgress, LiveProgress } from '../../src/cli/progress.ts';
import { drainLine, summaryLines } from '../../src/cli/summary.ts';
import type { HubPlan, PipelinePlan, SinkPlan, SourcePlan } from '../../src/config/plan.ts';
import type { HubStatus, PipelineResult, SupervisedPipeline } from '../../src/supervisor/index.ts';
import { createEntryLogger, type LogEntry } from '../../src/telemetry/index.ts';
import { ManualClock } from '../../src/testing/manual-clock.ts';

const leg = { decode: 'json' as const };
const sourceRest = {
  ...leg,
  key: null,
  partitionBy: 'source' as const,
  delivery: 'at_least_once' as const,
  placement: 'host' as const,
  rewinds: true,
};
const sinkRest = {
  ...leg,
  where: null,
  takes: 'records' as const,
  start: 'earliest' as const,
  batch: { maxRecords: 1, maxBytes: 1, maxAgeMs: 0 },
  retry: { minMs: 1, maxMs: 1 },
};
const source = (name: string, connector: string, options: SourcePlan['options']): SourcePlan => ({
  name,
  connector,
  options,
  ...sourceRest,
});
const sink = (name: string, connector: string, options: SinkPlan['options']): SinkPlan => ({
  name,
  connector,
  options,
  ...sinkRest,
});

const quickstart: PipelinePlan = {
  name: 'quickstart',
  file: '/home/me/sluice/pipelines/quickstart.yaml',
  isolation: 'shared',
  topic: {
    name: 'quickstart',
    partitions: 2,
    replicationFactor: null,
    config: {},
    compression: 'none',
    retentionMs: 1,
    retentionBytes: 1,
    maxRecordBytes: 1,
  },
  sources: [
    source('access', 'file', { include: ['data/access.log'] }),
    source('http', 'http', { listen: '127.0.0.1:8080' }),
  ],
  sinks: [sink('file', 'file', { path: '../out' }), sink('console', 'console', { max_per_second: 5 })],
  deadLetter: { topic: 'quickstart.dead', maxBytes: 1, maxRate: null },
  configHash: '0'.repeat(12),
};

const plan: HubPlan = {
  file: '/home/me/sluice/sluice.yaml',
  kafka: null,
  dataDir: '/home/me/sluice/.sluice',
  group: 'default',
  host: null,
  api: { host: '127.0.0.1', port: 8686 },
  workers: 2,
  bufferBytes: 1,
  listenerBytes: 1,
  workerMemoryBytes: 1,
  watchdogMs: 1,
  drainMs: 1,
  references: { env: [], file: [] },
  outbound: { deny: [], allow: [] },
  pipelines: [quickstart],
};
const cwd = '/home/me/sluice';

const legStatus = { state: 'running' as const, reason: null, since: 0, status: '', deadLettered: 0, inFlight: 0 };
const sourceStatus = { ...legStatus, bytes: 0, suppressed: 0 };
const sinkStatus = { ...legStatus, read: 0, dropped: 0, returned: 0, lag: 0, behindMs: 0 };

function pipelineStatus(more: Partial<SupervisedPipeline> = {}): SupervisedPipeline {
  return {
    name: 'quickstart',
    state: 'running',
    reason: null,
    since: 0,
    waitsFor: null,
    restarts: 0,
    worker: 'worker-1',
    topic: 'quickstart',
    deadLetters: 0,
    totals: { recordsIn: 4775, delivered: 9550, dropped: 0, deadLettered: 0 },
    sources: [
      { ...sourceStatus, name: 'access', connector: 'file', records: 4775, state: 'done', status: 'following' },
      { ...sourceStatus, name: 'http', connector: 'http', records: 0, status: 'listening :8080' },
    ],
    sinks: [
      { ...sinkStatus, name: 'file', connector: 'file', records: 4775, status: '1 file published' },
      { ...sinkStatus, name: 'console', connector: 'console', records: 4700, lag: 75, behindMs: 3 },
    ],
    ...more,
  };
}

const hubStatus = (...pipelines: SupervisedPipeline[]): HubStatus => ({
  hubId: 'h',
  since: 0,
  isDraining: false,
  pipelines,
  workers: [],
});

/** What a terminal shows after everything that was written to it: lines that were erased are gone. */
class Screen implements Output {
  readonly isTTY = true;
  columns = 100;
  rows = 30;
  lines: string[] = [''];

  write(text: string | Uint8Array, written?: () => void): boolean {
    const [first = '', ...controlled] = Buffer.from(text).toString().split('\x1b[');
    this.#append(first);
    for (const part of controlled) {
      const [, up, rest = ''] = /^(?:(\d+)A|J)(.*)$/s.exec(part) ?? [];
      if (up !== undefined) this.lines = [...this.lines.slice(0, Math.max(0, this.lines.length - 1 - Number(up))), ''];
      this.#append(rest);
    }
    written?.();
    return true;
  }

  #append(text: string): void {
    const [first = '', ...others] = text.split('\n');
    this.lines = [...this.lines.slice(0, -1), `${this.lines.at(-1) ?? ''}${first}`, ...others];
  }
}

test('the banner says what runs, where it is, and what to do', () => {
  expect(banner({ plan, version: '0.1.0', cwd, once: false })).toBe(
    `sluice 0.1.0 · hub default · embedded log in .sluice · http://127.0.0.1:8686
  quickstart   file(access) + http(:8080) → quickstart (2 partitions) → file(out/), console
  Try:  curl -d '{"hello":"world"}' http://127.0.0.1:8080/
  Stop: Ctrl-C
`,
  );
});

test('the banner says which Kafka, with references as they are written and no credentials', () => {
  const brokers = ['a:1', '${env:BROKER}:2', 'c:3', 'd:4'];
  const sasl = { mechanism: 'plain', username: 'hub', password: 'canary' };
  const kafka = { brokers, tls: { ca: 'ca.pem' }, sasl, driver: 'kafkajs' };
  const [head] = banner({ plan: { ...plan, kafka }, version: '0.1.0', cwd, once: true }).split('\n');
  expect(head).toBe(
    'sluice 0.1.0 · hub default · Kafka at a:1, ${env:BROKER}:2, c:3 and 1 more (TLS, plain, driver kafkajs)',
  );
});

test('the banner of --once has no API and nothing to try, and prints no reference', () => {
  const secret = sink('archive', 'file', { path: '${env:TARGET}/x' });
  const chained = { ...quickstart, sources: [], sinks: [{ ...secret, name: 'file' }] };
  expect(banner({ plan: { ...plan, pipelines: [chained] }, version: '0.1.0', cwd, once: true })).toBe(
    'sluice 0.1.0 · hub default · embedded log in .sluice\n  quickstart   quickstart (2 partitions) → file\n',
  );
});

test('the live display is redrawn in place, and records pass above it', async () => {
  const screen = new Screen();
  const clock = new ManualClock();
  const progress = new LiveProgress({
    io: { stdout: screen, stderr: screen, env: {}, cwd },
    plans: [quickstart],
    clock,
  });
  await progress.print('stdout', Buffer.from('record 1\n'));
  progress.update(hubStatus(pipelineStatus()));
  await progress.print('stdout', Buffer.from('record 2\nrec'));
  await progress.print('stdout', Buffer.from('ord 3\n'));
  await clock.advance(1000);
  progress.update(
    hubStatus(pipelineStatus({ totals: { recordsIn: 5775, delivered: 60_000, dropped: 0, deadLettered: 1 } })),
  );
  expect(screen.lines).toEqual([
    'record 1',
    'record 2',
    'record 3',
    '',
    'pipeline    state            in/s      out/s      lag    dead    behind',
    'quickstart  running         5,775     60.0 k       75       1      3 ms',
    '  file(access)         4,775 records   done, following   → quickstart',
    '  http(:8080)              0 records   listening :8080   → quickstart',
    '  → file(out/)         4,775 records   1 file published',
    '  → console            4,700 records   75 behind',
    '',
  ]);
});

test('a pipeline in trouble says why, and what a client sent moves no cursor', () => {
  const screen = new Screen();
  const progress = new LiveProgress({
    io: { stdout: screen, stderr: screen, env: {}, cwd },
    plans: [quickstart],
    clock: new ManualClock(),
  });
  const reason = 'file: "\x1b[2Jx": ENOSPC';
  progress.update(hubStatus(pipelineStatus({ state: 'backing_off', reason })));
  const line = screen.lines.find((one) => one.startsWith('quickstart'));
  expect(line).toMatch(/^quickstart {2}backing-off .* file: "x": ENOSPC$/);
});

test('a display that does not fit is cut to the screen', () => {
  const screen = new Screen();
  screen.columns = 40;
  screen.rows = 6;
  const progress = new LiveProgress({
    io: { stdout: screen, stderr: screen, env: {}, cwd },
    plans: [quickstart],
    clock: new ManualClock(),
  });
  for (const records of [1, 2]) {
    progress.update(
      hubStatus(pipelineStatus({ totals: { recordsIn: records, delivered: 0, dropped: 0, deadLettered: 0 } })),
    );
    expect(screen.lines).toHaveLength(6);
    expect(screen.lines.at(-2)).toBe('… 3 more lines');
    for (const line of screen.lines) expect(line.length).toBeLessThan(40);
  }
});

test('records that go to a file do not disturb the display', async () => {
  const [screen, file] = [new Screen(), new Screen()];
  const stdout: Output = { write: (text, written) => file.write(text, written), isTTY: false };
  const progress = new LiveProgress({
    io: { stdout, stderr: screen, env: {}, cwd },
    plans: [quickstart],
    clock: new ManualClock(),
  });
  progress.update(hubStatus(pipelineStatus()));
  const before = [...screen.lines];
  await progress.print('stdout', 'record\n');
  expect([screen.lines, file.lines]).toEqual([before, ['record', '']]);
});

test('without a terminal there is a line only when something happened', () => {
  const entries: LogEntry[] = [];
  const clock = new ManualClock();
  const log = createEntryLogger({ level: 'info', clock, write: (entry) => entries.push(entry) });
  const screen = new Screen();
  const progress = new LineProgress({ io: { stdout: screen, stderr: screen, env: {}, cwd }, clock, log: () => log });
  for (let n = 0; n < 3; n++) progress.update(hubStatus(pipelineStatus()));
  expect(entries.map(({ message, fields }) => [message, fields.in, fields.lag])).toEqual([['progress', 4775, 75]]);
  progress.update(hubStatus(pipelineStatus({ state: 'degraded' })));
  expect(entries).toHaveLength(2);
});

test('a stream that is closed is told to whoever prints', async () => {
  const broken: Output = {
    write: (_text, written) => {
      written?.(new Error('EPIPE'));
      return false;
    },
  };
  const progress = new LiveProgress({
    io: { stdout: broken, stderr: new Screen(), env: {}, cwd },
    plans: [quickstart],
    clock: new ManualClock(),
  });
  await expect(progress.print('stdout', 'x\n')).rejects.toThrow('EPIPE');
});

test('the summary says what was done and what comes next', () => {
  const result: PipelineResult = {
    name: 'quickstart',
    outcome: 'stopped',
    reason: null,
    inFlight: 0,
    recordsIn: 4775,
    delivered: 9550,
    dropped: 0,
    deadLettered: 0,
  };
  const lines = (more: Partial<PipelineResult>, once = false): string[] =>
    summaryLines({ pipelines: [{ ...result, ...more }], elapsedMs: 80 }, once);
  expect(lines({})).toEqual([
    'quickstart: 4,775 in, 9,550 delivered, 0 dead letters. Run again to go on where this stopped.',
  ]);
  expect(lines({ deadLettered: 1, dropped: 12 })).toEqual([
    'quickstart: 4,775 in, 9,550 delivered, 12 left out by `where`, 1 dead letter. See why: sluice dlq show quickstart',
  ]);
  expect(lines({ outcome: 'failed', reason: 'damaged' }, true)[0]).toMatch(/ It failed: damaged$/);
  expect(drainLine({ pipelines: [result], elapsedMs: 80 })).toBe(
    'drained: sources stopped, 0 records in flight, offsets saved (80 ms)',
  );
  expect(drainLine({ pipelines: [{ ...result, inFlight: 3 }], elapsedMs: 30_000 })).toBe(
    'stopped before everything was drained (30.0 s): 3 records will be read again at the next start',
  );
});

test.each([
  [0, '0'],
  [830, '830'],
  [9999, '9,999'],
  [9_999.6, '10.0 k'],
  [52_149, '52.1 k'],
  [999_949, '999.9 k'],
  [999_951, '1.00 M'],
])('%d records per second is %s', (perSecond, text) => {
  expect(rate(perSecond)).toBe(text);
});

test.each([
  [3, '3 ms'],
  [999.6, '1.0 s'],
  [4200, '4.2 s'],
  [99_960, '2 min'],
  [720_000, '12 min'],
  [12_600_000, '3.5 h'],
])('%d ms is %s', (ms, text) => {
  expect(timeSpan(ms)).toBe(text);
});
