import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import fc from 'fast-check';
import { LineCutter } from '../../../connectors/stdin/lines.ts';
import { StdinSource } from '../../../connectors/stdin/source.ts';
import { createSourceHarness, ManualClock, type SourceHarness } from '../../../src/testing/index.ts';

jest.setTimeout(30_000);

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function reading(
  input: Readable,
  options: { maxRecordBytes?: number; clock?: ManualClock; budgetBytes?: number } = {},
): SourceHarness {
  return createSourceHarness({ create: () => new StdinSource(() => input), rewinds: false, ...options });
}

/** What lines an input holds, by another way: as text. */
function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
}

test('however an input is cut into chunks, each line is a record and longer ones are refused with their place', async () => {
  const piece = fc.constantFrom('a', 'bb', 'ccccc', '\n', '\r', '\r\n', 'ddddddddddd');
  const chunks = fc.array(fc.array(piece, { minLength: 1, maxLength: 8 }).map((pieces) => pieces.join('')));
  await fc.assert(
    fc.asyncProperty(chunks, async (texts) => {
      const harness = reading(Readable.from(texts.map((text) => Buffer.from(text))), { maxRecordBytes: 8 });
      await harness.start();
      await harness.ended;
      const text = texts.join('');
      expect(harness.values).toEqual(linesOf(text).filter((line) => line.length <= 8));
      const long = linesOf(text).filter((line) => line.length > 8);
      expect(harness.rejected.map(({ value }) => Buffer.from(value!).toString())).toEqual(
        long.map((line) => line.slice(0, 8)),
      );
      for (const [index, { position, error }] of harness.rejected.entries()) {
        expect(error.code).toBe('RECORD_TOO_LARGE');
        const at = Number(/^stdin@(\d+)$/.exec(position)![1]);
        expect(text.slice(at, at + long[index]!.length)).toBe(long[index]);
        expect(error.message).toContain(`${long[index]!.length} bytes: the record limit is 8`);
      }
    }),
    { numRuns: 200 },
  );
});

test('of a line without end only its beginning is held', () => {
  const cutter = new LineCutter(1000);
  const chunk = Buffer.alloc(64 * 1024, 'x');
  for (let count = 0; count < 200; count++) {
    cutter.feed(chunk);
    expect(cutter.next()).toBe(false);
    expect(cutter.bytes.length).toBeLessThan(4 * chunk.length);
  }
  cutter.feed(Buffer.from('\nnext\n'));
  expect(cutter.next()).toBe(true);
  expect([cutter.isTooLong, cutter.lineLength, cutter.end - cutter.start]).toEqual([true, 200 * chunk.length, 1000]);
  expect(cutter.next()).toBe(true);
  expect(cutter.bytes.toString('utf8', cutter.start, cutter.end)).toBe('next');
  expect(cutter.lineOffset).toBe(200 * chunk.length + 1);
});

test('a refused commit is tried again until it is durable, and nothing later overtakes it', async () => {
  const clock = new ManualClock();
  const input = new PassThrough();
  const harness = reading(input, { clock, maxRecordBytes: 10 });
  harness.refuseNext();
  await harness.start();
  input.write('one\nmuch too long\ntwo\n');
  while (!harness.status.startsWith('waiting')) await tick();
  expect(harness.status).toContain('committing');
  input.end('three\nfour');
  await tick();
  expect(harness.count).toBe(0);
  // As often as it takes: a sleep may begin after an advance.
  while (harness.count < 2) {
    await clock.advance(1000);
    await tick();
  }
  await harness.ended;
  expect(harness.values).toEqual(['one', 'two', 'three', 'four']);
  expect(harness.rejected.map(({ position }) => position)).toEqual(['stdin@4']);
  expect(harness.status).toBe('at its end, 5 lines');
});

test('while commits wait, no more is read than a chunk and what the stream reads ahead', async () => {
  let produced = 0;
  const input = new Readable({
    highWaterMark: 64 * 1024,
    read(): void {
      produced++;
      this.push(Buffer.alloc(64 * 1024, 'a line of text\n'));
    },
  });
  const harness = reading(input);
  harness.hold();
  await harness.start();
  for (let turn = 0; turn < 200; turn++) await tick();
  expect(produced).toBeLessThan(10);
  await harness.kill();
});

test('ends at once when it is asked to, in the middle of its input', async () => {
  const input = new PassThrough();
  const harness = reading(input);
  await harness.start();
  input.write('one\nno end of');
  while (harness.count < 1) await tick();
  await harness.stop();
  expect(harness.values).toEqual(['one']);
  expect(input.destroyed).toBe(true);
});

test('an input that breaks fails the source with the cause', async () => {
  const input = new PassThrough();
  const harness = reading(input);
  await harness.start();
  input.destroy(new Error('EIO: i/o error, read'));
  await expect(harness.ended).rejects.toMatchObject({ code: 'SOURCE_FAILED', message: 'reading the standard input' });
});

describe('in a worker of a process', () => {
  let folder = '';
  const children: ChildProcess[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-stdin-'));
  });
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  const program = [process.execPath, '-C', 'sluice-source', join(import.meta.dirname, 'support', 'reader.ts')];

  function start(
    stdin: 'pipe' | 'ignore' | number,
    [file, ...parameters]: readonly string[] = program,
  ): { child: ChildProcess; output: () => string; exit: Promise<unknown> } {
    const child = spawn(file!, parameters, { stdio: [stdin, 'pipe', 'inherit'] });
    children.push(child);
    let text = '';
    child.stdout!.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const exit = new Promise((resolve) => child.on('close', resolve));
    return { child, output: () => text, exit };
  }

  test('reads a pipe while it is open, and to its end', async () => {
    const { child, output, exit } = start('pipe');
    child.stdin!.write('one\ntw');
    while (!output().includes('one\n')) await tick();
    child.stdin!.end('o\nthree');
    expect(await exit).toBe(0);
    expect(output()).toBe('one\ntwo\nthree\nended: at its end, 3 lines\n');
  });

  test('ends while its pipe is open and silent', async () => {
    const { child, output, exit } = start('pipe');
    child.stdin!.write('stop\n');
    expect(await exit).toBe(0);
    expect(output()).toContain('stopped\n');
  });

  test('reads a file to its end, and nothing from nothing', async () => {
    const path = join(folder, 'in.txt');
    await writeFile(path, 'a\n'.repeat(300_000) + 'z');
    const file = await open(path);
    const whole = start(file.fd);
    expect(await whole.exit).toBe(0);
    await file.close();
    expect(whole.output().endsWith('a\nz\nended: at its end, 300,001 lines\n')).toBe(true);
    const nothing = start('ignore');
    expect(await nothing.exit).toBe(0);
    expect(nothing.output()).toBe('ended: at its end, 0 lines\n');
  });

  test('reads what another program writes', async () => {
    const quoted = program.map((word) => `'${word}'`).join(' ');
    const { output, exit } = start('ignore', ['/bin/sh', '-c', `(echo one; printf 'two\\r\\nthree') | ${quoted}`]);
    expect(await exit).toBe(0);
    expect(output()).toBe('one\ntwo\nthree\nended: at its end, 3 lines\n');
  });
});
