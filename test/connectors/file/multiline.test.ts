import { appendFile, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SourceHarness, SourceHarnessOptions } from '../../../src/testing/index.ts';
import { fileLife } from './support/life.ts';
import { eventually, type SourceSettings } from './support/source.ts';

type Framing = NonNullable<SourceSettings['framing']>;
type Multiline = NonNullable<Framing['multiline']>;

const life = fileLife();
const { at } = life;

const multiline = (more: Partial<Multiline> | Partial<Multiline['patterns']>): Multiline => {
  const {
    start,
    continue: following,
    end,
    negate = false,
    ...settings
  } = more as Partial<Multiline & Multiline['patterns']>;
  const patterns = { start, continue: following, end, negate };
  return { preset: null, patterns, maxLines: 1000, maxBytes: Infinity, timeoutMs: 60_000, ...settings };
};

function started(
  framing: Framing,
  options: Partial<SourceHarnessOptions> = {},
  settings: SourceSettings = {},
): Promise<SourceHarness> {
  return life.started({ framing, ...settings }, options);
}

async function eventsOf(
  text: string,
  framing: Framing,
  options: Partial<SourceHarnessOptions> = {},
): Promise<string[]> {
  await writeFile(at('a.log'), text);
  const source = await started(framing, { once: true, ...options });
  await source.ended;
  return source.values;
}

async function rest(ms = 80): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

describe('patterns', () => {
  test.each<[string, Parameters<typeof multiline>[0], string[]]>([
    ['start', { start: '^\\d' }, [' orphan', '1 one\n  a\n', '2 two', '3 three\n b']],
    ['continue', { continue: '^\\s' }, ['1 one\n  a', '', '2 two', '3 three\n b']],
    ['continue, negated', { continue: '^\\d', negate: true }, [' orphan\n x', '1 one\n  a\n', '2 two']],
    ['end', { end: ';$' }, ['a\nb;', 'c;', 'd']],
    ['end, negated: a backslash goes on', { end: '\\\\$', negate: true }, ['a\\\nb\\\nc', 'd', 'e\\']],
    ['start and end', { start: '^BEGIN', end: '^END' }, ['x\ny', 'BEGIN\n1\nEND', 'z', 'BEGIN\n2', 'BEGIN\nEND']],
    ['start and continue', { start: '^\\d', continue: '^\\s' }, ['1\n a', '2', 'x\n b', 'y']],
  ])('%s', async (_, patterns, events) => {
    const text = `${events.join('\n')}\n`;
    expect(await eventsOf(text, { multiline: multiline(patterns) })).toEqual(events);
  });

  test('line ends within an event stay, the last one goes', async () => {
    const text = 'a\r\n b\r\nc\r\n';
    expect(await eventsOf(text, { multiline: multiline({ continue: '^\\s' }) })).toEqual(['a\r\n b', 'c']);
  });

  test.each(['utf-16le', 'latin1'] as const)('%s: patterns see text', async (encoding) => {
    const text = 'é 1\r\n ü\r\né 2\r\n ÿ';
    await writeFile(at('a.log'), Buffer.from(text, encoding === 'latin1' ? 'latin1' : 'utf16le'));
    const source = await started({ encoding, multiline: multiline({ start: '^é ' }) }, { once: true });
    await source.ended;
    expect(source.values).toEqual(['é 1\r\n ü', 'é 2\r\n ÿ']);
  });
});

describe('limits', () => {
  test('max_lines and max_bytes: what is beyond is the next event, and nothing is lost', async () => {
    const text = ['1', ' a', ' b', ' c', ' d', '2', ' e', ''].join('\n');
    const lines = await eventsOf(text, { multiline: multiline({ continue: '^\\s', maxLines: 3 }) });
    expect(lines).toEqual(['1\n a\n b', ' c\n d', '2\n e']);
    const bytes = await eventsOf(text, { multiline: multiline({ continue: '^\\s', maxBytes: 6 }) });
    expect(bytes).toEqual(['1\n a', ' b\n c', ' d', '2\n e']);
  });

  test('an event of the record limit in files larger than a buffer, in any encoding', async () => {
    const line = (number: number): string => `${number} ${'x'.repeat(997 - String(number).length)}`;
    const events = [0, 1, 2].map((event) =>
      Array.from({ length: 1200 }, (_, index) => (index === 0 ? `E${event}` : line(index))).join('\n'),
    );
    for (const encoding of ['utf-8', 'utf-16le'] as const) {
      await writeFile(at('a.log'), Buffer.from(events.join('\n'), encoding === 'utf-8' ? 'utf8' : 'utf16le'));
      const source = await started(
        { encoding, multiline: multiline({ start: '^E', maxLines: 100_000 }) },
        { once: true },
      );
      await source.ended;
      await source.stop();
      expect(source.values.join('\n')).toBe(events.join('\n'));
      expect(source.count).toBe(6);
      expect(Math.max(...source.values.map((value) => value.length))).toBeGreaterThan(1024 * 1024 - 1000);
    }
  });

  test('a line that is too long is none of an event; the events around it are whole', async () => {
    const text = `1\n a\n ${'x'.repeat(100)}\n b\n2\n`;
    const framing = { maxLineBytes: 50, multiline: multiline({ continue: '^\\s' }) };
    await writeFile(at('a.log'), text);
    const source = await started(framing, { once: true });
    await source.ended;
    expect(source.values).toEqual(['1\n a', ' b', '2']);
    expect(source.rejected).toMatchObject([{ position: `${at('a.log')}@5` }]);
  });

  test('a line of 20 MB within an event is passed over without being held', async () => {
    await writeFile(at('a.log'), `1\n a\n${'x'.repeat(20_000_000)}\n b\n2\n`);
    const before = process.memoryUsage().arrayBuffers;
    const source = await started(
      { multiline: multiline({ continue: '^\\s|^x' }), onLongLine: 'truncate' },
      { once: true },
    );
    await source.ended;
    expect(source.values.map((value) => (value.length > 10 ? 'cut' : value))).toEqual(['1\n a', 'cut', ' b', '2']);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024);
  });
});

describe('the last event', () => {
  test('waits for what belongs to it, over a stop and a kill, neither split nor doubled', async () => {
    await writeFile(at('a.log'), '1\n a\n2\n');
    const source = await started({ multiline: multiline({ continue: '^\\s' }) });
    await eventually(() => source.count === 1);
    await source.stop();
    await appendFile(at('a.log'), ' b');
    await source.start();
    await rest();
    await source.kill();
    await appendFile(at('a.log'), 'c\n d\n');
    await source.start();
    await rest();
    expect(source.values).toEqual(['1\n a']);
    await appendFile(at('a.log'), '3\n');
    await eventually(() => source.count === 2);
    expect(source.values).toEqual(['1\n a', '2\n bc\n d']);
    expect([...source.positions.values()]).toMatchObject([{ offset: 14 }]);
  });

  test('is over when nothing came for the timeout; a line without its end waits on', async () => {
    await writeFile(at('a.log'), '1\n a\n b');
    const source = await started({ multiline: multiline({ continue: '^\\s', timeoutMs: 200 }) });
    for (let round = 0; round < 4; round++) {
      await rest(60);
      expect(source.count).toBe(0);
      await appendFile(at('a.log'), '-');
    }
    await eventually(() => source.count === 1);
    await rest();
    expect(source.values).toEqual(['1\n a']);
    await source.kill();
    await appendFile(at('a.log'), '\n c\n2\n');
    await source.start();
    await eventually(() => source.count === 3);
    expect(source.values).toEqual(['1\n a', ' b----\n c', '2']);
  });

  test('of a rotated file is over with it', async () => {
    await writeFile(at('a.log'), '1\n a');
    const source = await started({ multiline: multiline({ continue: '^\\s' }) }, {}, { rotateWaitMs: 50 });
    await rest();
    await rename(at('a.log'), at('a.log.1'));
    await writeFile(at('a.log'), ' b\n2\n3\n');
    await eventually(() => source.count === 3);
    expect([...source.values].sort()).toEqual([' b', '1\n a', '2']);
  });

  test('that no line can follow is there at once', async () => {
    await writeFile(at('a.log'), 'INSERT\nINTO;\n');
    const source = await started({ multiline: multiline({ end: ';$' }) });
    await eventually(() => source.count === 1);
    expect(source.values).toEqual(['INSERT\nINTO;']);
  });
});

describe('stack traces', () => {
  const traces = join(import.meta.dirname, 'fixtures', 'traces');
  /** First lines of the events, in order, as the programs wrote them. */
  const expected = {
    java: [
      'before',
      'java.lang.RuntimeException: outer',
      'between',
      'Exception in thread "main" java.lang.NullPointerException',
    ],
    python: [
      ...['before', 'Traceback', 'between', 'Traceback', 'again', '  + Exception Group Traceback', '', 'more'],
      ...['Traceback', 'Traceback'],
    ],
    go: ['before', 'panic: runtime error: index out of range'],
    node: ['before', 'Error: outer', 'between', 'Error: outer', 'Error: own', 'again', '/srv/app/t.js:2'],
  } as const;

  test.each(['java', 'python', 'go', 'node'] as const)(
    '%s: a real one is an event, what is around it is not of it',
    async (preset) => {
      const text = await readFile(join(traces, `${preset}.log`), 'utf8');
      const events = await eventsOf(text, { multiline: multiline({ preset }) });
      expect(events.join('\n')).toBe(text.replace(/\n$/, ''));
      expect(events.map((event, index) => event.slice(0, expected[preset][index]?.length))).toEqual(expected[preset]);
    },
  );

  test('a line that no other can follow does not wait for the next one', async () => {
    await writeFile(at('a.log'), 'plain\n');
    const source = await started({ multiline: multiline({ preset: 'python' }) });
    await eventually(() => source.count === 1);
    expect(source.values).toEqual(['plain']);
  });
});
