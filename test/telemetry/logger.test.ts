import { SluiceError } from '../../src/api/index.ts';
import { createEntryLogger, createLogger, type LogEntry, type LoggerOptions } from '../../src/telemetry/index.ts';

const time = Date.UTC(2026, 10, 24, 14, 2, 11, 5);

function logged(options: Partial<LoggerOptions>, write: (log: ReturnType<typeof createLogger>) => void): string {
  let text = '';
  const destination = { write: (line: string) => (text += line) };
  write(createLogger({ level: 'info', destination, pretty: false, clock: { now: () => time }, ...options }));
  return text;
}

test('a line has time, level, message, then the fields', () => {
  const text = logged({}, (log) => {
    log.warn({ pipeline: 'access-logs', attempt: 3, cause: 'connecting to es1:9200: refused' }, 'sink unavailable');
  });
  expect(text).toBe(
    `2026-11-24T14:02:11.005Z WARN  ${'sink unavailable'.padEnd(32)} pipeline=access-logs attempt=3 cause="connecting to es1:9200: refused"\n`,
  );
});

test('what a client sent can neither end the line nor move the cursor', () => {
  const text = logged({ pretty: true }, (log) => {
    log.info({ agent: 'x\n2026 ERROR forged \x1b[2J\x9b2J' }, 'request');
  });
  expect(text.split('\n')).toHaveLength(2);
  expect(text).not.toContain('\x1b[2J');
  expect(text).not.toContain('\x9b');
});

test('as JSON each line is one object, whatever the fields hold', () => {
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  const error = new SluiceError('LOG_IO', 'reading "a"', { cause: new Error('EIO') });
  const text = logged({ json: true }, (log) => {
    log.child({ pipeline: 'p' }).error({ cause: error, cycle, big: 10n, left: undefined }, 'broken');
  });
  const entry = JSON.parse(text) as Record<string, unknown>;
  expect(entry).toMatchObject({
    level: 'error',
    message: 'broken',
    pipeline: 'p',
    cause: 'reading "a": EIO',
    big: '10n',
  });
  expect(entry).not.toHaveProperty('left');
  expect(typeof entry.cycle).toBe('string');
});

test('levels below the chosen one are not written', () => {
  const text = logged({ level: 'warn' }, (log) => {
    log.info({}, 'quiet');
    log.child({}).debug({}, 'quiet');
    log.warn({}, 'heard');
  });
  expect(text).toContain('heard');
  expect(text).not.toContain('quiet');
});

test('an entry crosses to another thread', () => {
  const entries: LogEntry[] = [];
  const log = createEntryLogger({ level: 'debug', clock: { now: () => time }, write: (entry) => entries.push(entry) });
  log.debug({ error: new Error('x'), call: () => 1 }, 'started');
  expect(structuredClone(entries)).toEqual(entries);
});
