import fc from 'fast-check';
import { JsonWriter, WordMembers } from '../../../src/codec/index.ts';
import { SyslogParser } from '../../../connectors/syslog/parse.ts';

const NOW = Date.parse('2026-01-02T12:00:00Z');

function parsed(text: string | Buffer, offsetMinutes = 0): { value: Record<string, unknown>; timeMs: number | null } {
  const bytes = Buffer.concat([Buffer.from('<<<'), Buffer.from(text), Buffer.from('>>>')]);
  // As most messages are, and as those are that cannot be written quickly.
  const [opened, other] = [true, false].map((isOpened) => {
    const json = new JsonWriter('replace');
    const parser = new SyslogParser(json, { offsetMinutes });
    if (isOpened) parser.open(bytes);
    parser.write(bytes, 3, bytes.length - 3, NOW);
    return { text: json.bytes.toString('utf8', 0, json.end), timeMs: parser.timeMs };
  });
  expect(opened).toEqual(other);
  return { value: JSON.parse(opened!.text) as Record<string, unknown>, timeMs: opened!.timeMs };
}

test.each([
  [
    'RFC 5424, example 1',
    "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \ufeff'su root' failed for lonvick on /dev/pts/8",
    {
      facility: 'auth',
      severity: 'crit',
      timestamp: '2003-10-11T22:14:15.003Z',
      hostname: 'mymachine.example.com',
      app_name: 'su',
      msg_id: 'ID47',
      message: "'su root' failed for lonvick on /dev/pts/8",
    },
    '2003-10-11T22:14:15.003Z',
  ],
  [
    'RFC 5424, example 2: microseconds and a zone',
    '<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It’s time to make the do-nuts.',
    {
      facility: 'local4',
      severity: 'notice',
      timestamp: '2003-08-24T05:14:15.000003-07:00',
      hostname: '192.0.2.1',
      app_name: 'myproc',
      proc_id: '8710',
      message: '%% It’s time to make the do-nuts.',
    },
    '2003-08-24T12:14:15.000Z',
  ],
  [
    'RFC 5424, example 4: structured data without a message',
    '<165>1 2003-10-11T22:14:15.003Z h evntslog - ID47 [exampleSDID@32473 iut="3" eventSource="Appl\\"i\\\\c\\]ation"][examplePriority@32473 class="high"]',
    {
      facility: 'local4',
      severity: 'notice',
      timestamp: '2003-10-11T22:14:15.003Z',
      hostname: 'h',
      app_name: 'evntslog',
      msg_id: 'ID47',
      structured_data: {
        'exampleSDID@32473': { iut: '3', eventSource: 'Appl"i\\c]ation' },
        'examplePriority@32473': { class: 'high' },
      },
      message: '',
    },
    '2003-10-11T22:14:15.003Z',
  ],
  [
    'broken structured data stays in the message',
    '<165>1 - - - - - [a b="c] hello',
    { facility: 'local4', severity: 'notice', message: '[a b="c] hello' },
    null,
  ],
  [
    'a header that is cut off',
    '<165>1 2003-10-11T22:14:15Z host',
    { facility: 'local4', severity: 'notice', timestamp: '2003-10-11T22:14:15Z', hostname: 'host', message: '' },
    '2003-10-11T22:14:15.000Z',
  ],
  [
    'RFC 3164, example 1; December is of the year before',
    "<34>Dec 11 22:14:15 mymachine su: 'su root' failed",
    {
      facility: 'auth',
      severity: 'crit',
      timestamp: 'Dec 11 22:14:15',
      hostname: 'mymachine',
      app_name: 'su',
      message: "'su root' failed",
    },
    '2025-12-11T22:14:15.000Z',
  ],
  [
    'a day of one digit, and a process id',
    '<13>Jan  2 11:00:00 host sshd[4721]: Accepted publickey',
    {
      facility: 'user',
      severity: 'notice',
      timestamp: 'Jan  2 11:00:00',
      hostname: 'host',
      app_name: 'sshd',
      proc_id: '4721',
      message: 'Accepted publickey',
    },
    '2026-01-02T11:00:00.000Z',
  ],
  [
    'without a host, as `logger` writes to the local socket',
    '<13>Jan  2 11:00:00 root: hello',
    { facility: 'user', severity: 'notice', timestamp: 'Jan  2 11:00:00', app_name: 'root', message: 'hello' },
    '2026-01-02T11:00:00.000Z',
  ],
  [
    'the forward format of rsyslog',
    '<13>2026-01-02T10:00:00.123456+02:00 host app: hello',
    {
      facility: 'user',
      severity: 'notice',
      timestamp: '2026-01-02T10:00:00.123456+02:00',
      hostname: 'host',
      app_name: 'app',
      message: 'hello',
    },
    '2026-01-02T08:00:00.123Z',
  ],
  ['no priority', 'plain text', { facility: 'user', severity: 'notice', message: 'plain text' }, null],
  ['a priority that is none', '<192>x', { facility: 'user', severity: 'notice', message: '<192>x' }, null],
  ['no time', '<0>kernel panic', { facility: 'kern', severity: 'emerg', message: 'kernel panic' }, null],
  [
    'a date that is none',
    '<13>Feb 32 25:61:61 host app: x',
    { facility: 'user', severity: 'notice', message: 'Feb 32 25:61:61 host app: x' },
    null,
  ],
])('%s', (_what, text, value, time) => {
  expect(parsed(text)).toEqual({ value, timeMs: time === null ? null : Date.parse(time) });
});

test('times without a zone are of the zone of the options', () => {
  expect(parsed('<13>Jan  2 11:00:00 h a: x', 330).timeMs).toBe(Date.parse('2026-01-02T05:30:00Z'));
});

test('whatever comes becomes one object whose message ends as what came', () => {
  const word = fc.constantFrom(
    '<34>',
    '1 ',
    '-',
    ' ',
    '[',
    ']',
    '"',
    '\\',
    '=',
    ':',
    'Oct 11 22:14:15',
    '2003-10-11T22:14:15Z',
    'a',
    'é',
  );
  const messages = fc.oneof(
    fc.array(word, { maxLength: 30 }).map((words) => Buffer.from(words.join(''))),
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  );
  fc.assert(
    fc.property(messages, (bytes) => {
      const { value } = parsed(bytes);
      expect(typeof value.facility).toBe('string');
      expect(
        bytes.toString('utf8').endsWith(value.message as string) ||
          bytes.includes(0xef) ||
          bytes.some((byte) => byte >= 0x80),
      ).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

test('messages of a stream are written one by one as each alone, wherever they lie', () => {
  const word = fc.constantFrom('h', 'host.example', '-', '', 'a', 'nginx', '4721', '4722', 'é', '"', 'x'.repeat(60));
  const rests = fc.constantFrom(
    ' - text',
    ' -',
    '',
    ' [a b="c"] text',
    ' ',
    '- text',
    '\u0000',
    ' - \ufefftext',
    ' - \ufeff',
    ' - ',
    ` - ${'long "text" '.repeat(2000)}`,
  );
  const message = fc
    .tuple(fc.constantFrom('2003-10-11T22:14:15Z', '-', '2003-10-11T22:14:16.123+02:00'), word, word, word, word, rests)
    .map(([time, host, app, process, id, rest]) => `<34>1 ${time} ${host} ${app} ${process} ${id}${rest}`);
  fc.assert(
    fc.property(fc.array(message, { maxLength: 30 }), (messages) => {
      const json = new JsonWriter('replace');
      const parser = new SyslogParser(json, { offsetMinutes: 0 });
      const bytes = Buffer.from(messages.join('>>>'));
      parser.open(bytes);
      let at = 0;
      for (const text of messages) {
        const end = at + Buffer.byteLength(text);
        json.reset();
        parser.write(bytes, at, end, NOW);
        at = end + 3;
        const alone = parsed(text);
        expect(JSON.parse(json.bytes.toString('utf8', 0, json.end))).toEqual(alone.value);
        expect(parser.timeMs).toBe(alone.timeMs);
      }
    }),
    { numRuns: 200 },
  );
});

test('a message as most are is not left to the slow way', () => {
  const names = new WordMembers(['first', null], 'rest');
  const [bytes, json] = [Buffer.from('word - the rest'), new JsonWriter('replace')];
  names.open(bytes);
  expect(names.write(bytes, 0, bytes.length, json)).toBe(4);
  expect(json.bytes.toString('utf8', 0, json.end)).toBe(',"first":"word","rest":"the rest"}');
});
