import { rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { directoryDefinition } from '../../../connectors/file/directory-definition.ts';
import type { DirectoryOptions } from '../../../connectors/file/directory-options.ts';
import type { PositionTarget } from '../../../src/api/index.ts';
import { realClock } from '../../../src/telemetry/index.ts';
import { createSourceHarness, type SourceHarness } from '../../../src/testing/index.ts';
import { temporaryFolder } from './support/source.ts';

let folder: string;
const at = (name: string): string => join(folder, name);

beforeEach(async () => {
  folder = await temporaryFolder();
  for (const [index, name] of ['a', 'b', 'c'].entries()) {
    await writeFile(at(name), `one of ${name}\ntwo of ${name}\n`);
    const time = new Date(Date.UTC(2026, 0, 1 + index));
    await utimes(at(name), time, time);
  }
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const options = (): DirectoryOptions =>
  ({
    ...{ include: [at('*')], exclude: [], follow: true, on_done: 'keep', done_suffix: '.done', framing: 'lines' },
    ...{ length_bytes: 4, byte_order: 'big', encoding: 'utf-8', keep_carriage_return: false, on_long_line: 'skip' },
    ...{ add_headers: [], complete_after: 0, scan_interval: 10 },
  }) as unknown as DirectoryOptions;

async function readAll(source: SourceHarness): Promise<string[]> {
  source.records.length = 0;
  await source.start();
  await source.ended;
  await source.stop();
  return source.values;
}

function harness(): SourceHarness {
  return createSourceHarness({
    ...{ clock: realClock, once: true },
    create: () => directoryDefinition.create(options()),
  });
}

async function move(source: SourceHarness, to: PositionTarget, place: string | null = null): Promise<string[]> {
  const tools = await directoryDefinition.positions!();
  const { changes, left } = await tools.plan(options(), { to, place, saved: source.positions }, {} as never);
  for (const { partition, position } of changes) {
    if (position === null) source.positions.delete(partition);
    else source.positions.set(partition, position);
  }
  return left.map(({ why }) => why);
}

const both = (...names: string[]): string[] => names.flatMap((name) => [`one of ${name}`, `two of ${name}`]);

test('describes each file by its path and how far it was read', async () => {
  const source = harness();
  expect(await readAll(source)).toEqual(both('a', 'b', 'c'));
  const tools = await directoryDefinition.positions!();
  const told = [...source.positions].map(([key, position]) => tools.describe(key, position));
  expect(told).toEqual(['a', 'b', 'c'].map((name) => ({ place: at(name), offset: 18 })));
  expect(tools.describe('started', { start: 'end' })).toBeNull();
});

test('earliest: what is there is read again, and what is gone is forgotten', async () => {
  const source = harness();
  await readAll(source);
  await rm(at('b'));
  expect(await move(source, { kind: 'earliest' })).toEqual([]);
  expect(source.positions.size).toBe(0);
  expect(await readAll(source)).toEqual(both('a', 'c'));
});

test('earliest of one file: only that one is read again', async () => {
  const source = harness();
  await readAll(source);
  await move(source, { kind: 'earliest' }, at('b'));
  expect(await readAll(source)).toEqual(both('b'));
});

test('latest: what is there counts as read, what comes later does not', async () => {
  const source = harness();
  await move(source, { kind: 'latest' });
  await writeFile(at('d'), 'one of d\ntwo of d\n');
  expect(await readAll(source)).toEqual(both('d'));
});

test('a time: what was written before it counts as read, the others are read again', async () => {
  const source = harness();
  await readAll(source);
  await move(source, { kind: 'time', timeMs: Date.UTC(2026, 0, 2) });
  expect(await readAll(source)).toEqual(both('b', 'c'));
});

test('a byte, and a file that is not there, are refused with the reason', async () => {
  const source = harness();
  await expect(move(source, { kind: 'offset', offset: 3 }, at('a'))).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  expect(await move(source, { kind: 'latest' }, at('nowhere'))).toEqual([
    'the source does not find it: is it named by `include`?',
  ]);
});
