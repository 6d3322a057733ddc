import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { inFlight } from '../../bench/in-flight.ts';
import { lineBatches } from '../../bench/line-batches.ts';

describe('the lines of a file in batches', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'line-batches-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each([
    ['across reads', Array.from({ length: 30_000 }, (_, n) => `${n} ${'x'.repeat(n % 97)}`), '\n'],
    ['a last line without its end', ['one', '', 'three'], ''],
    ['a line longer than a read', ['a', 'b'.repeat(3_000_000), 'c'], '\n'],
    ['nothing', [], ''],
  ])('gives each line once and in order: %s', async (_name, lines, end) => {
    const file = join(folder, 'lines.log');
    await writeFile(file, lines.join('\n') + end);
    const batches: string[][] = [];
    for await (const batch of lineBatches(file, 1000)) batches.push(batch.map(String));
    expect(batches.flat()).toEqual(lines);
    expect(batches.slice(0, -1).every(({ length }) => length === 1000)).toBe(true);
  });
});

describe('so many at a time', () => {
  // eslint-disable-next-line @typescript-eslint/require-await -- what has nothing to wait for is a source all the same
  async function* numbers(): AsyncGenerator<number> {
    for (let number = 0; number < 20; number++) yield number;
  }

  it('handles all, never more than the limit at once', async () => {
    const handled: number[] = [];
    let [now, most] = [0, 0];
    await inFlight(numbers(), 4, async (number) => {
      most = Math.max(most, ++now);
      await breathe();
      now--;
      handled.push(number);
    });
    expect(handled.sort((one, other) => one - other)).toEqual(Array.from({ length: 20 }, (_, number) => number));
    expect(most).toBe(4);
  });

  it('rejects with what a handler throws', async () => {
    const handling = inFlight(numbers(), 4, (number) =>
      number === 7 ? Promise.reject(new Error('seven')) : Promise.resolve(),
    );
    await expect(handling).rejects.toThrow('seven');
  });
});
