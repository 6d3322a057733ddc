import { appendFile, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { cleanUp, HubFolder } from './support/hub-folder.ts';
import { runHere, type CommandResult } from './support/run-here.ts';

jest.setTimeout(60_000);
afterAll(cleanUp);

const pipeline = `
name: moved
sources:
  - file: { include: ['*.log'] }
    name: lines
    decode: text
  - generate: { count: 3 }
    name: numbers
  - http: { listen: HTTP }
topic: { name: moved, partitions: 2 }
sinks:
  - file: { path: out, format: raw, roll: { idle: 50ms } }
    name: files
`;

const FIRST = ['line 1', 'line 2', 'line 3'];

interface Json {
  readonly executed: boolean;
  readonly changes: readonly { place: string; from: unknown; to: unknown; note: string | null }[];
  readonly left: readonly { what: string; why: string }[];
}

let folder: HubFolder;
const offsets = (...args: string[]): Promise<CommandResult> => runHere(folder.path, ['offsets', ...args]);
const asked = async (...args: string[]): Promise<Json> => JSON.parse((await offsets(...args, '--json')).stdout) as Json;

/** Lines of the files, without what was generated. */
async function published(): Promise<string[]> {
  return (await folder.published('out')).filter((line) => line.startsWith('line'));
}

async function runOnce(): Promise<string[]> {
  const before = await published();
  const run = folder.run('--once');
  expect([await run.exit(), run.stderr]).toEqual([0, expect.stringContaining('Everything is delivered')]);
  const after = await published();
  for (const line of before) after.splice(after.indexOf(line), 1);
  return after;
}

beforeAll(async () => {
  folder = await HubFolder.create({ 'p.yaml': pipeline });
  await folder.write('a.log', FIRST.map((line) => `${line}\n`).join(''));
  expect(await runOnce()).toEqual(FIRST);
});

test('a dry run shows what would change and changes nothing', async () => {
  const before = await contents(folder);
  const { code, stdout } = await offsets('reset', 'moved/files', '--to', 'earliest');
  expect([code, stdout]).toEqual([
    0,
    expect.stringMatching(
      /^leg +place +from +to\n(moved\/files +moved\/\d +\d +0\n){1,2}\n\d positions? would change\. This was a dry run: --execute does it\.\n$/,
    ),
  ]);
  expect(await contents(folder)).toEqual(before);
});

test('a sink that keeps offsets of its own obeys a reset, and a second run delivers nothing again', async () => {
  const { executed, changes } = await asked('reset', 'moved/files', '--to', 'earliest', '--execute');
  expect(executed).toBe(true);
  expect(changes.every(({ to, from }) => to === 0 && (from as number) > 0)).toBe(true);
  expect(await runOnce()).toEqual(FIRST);
  expect(await runOnce()).toEqual([]);
  const audit = (await readFile(join(folder.path, 'data', 'offsets-audit.jsonl'), 'utf8')).trimEnd().split('\n');
  const [begun, done] = audit.slice(-2).map((line) => JSON.parse(line) as object);
  expect(begun).toMatchObject({
    at: expect.stringMatching(/^\d{4}-.*Z$/) as string,
    by: expect.stringMatching(/./) as string,
    command: 'reset',
    event: 'begun',
    changes: changes.map(({ from, to }) => expect.objectContaining({ kind: 'sink', from, to }) as object),
  });
  expect(done).toMatchObject({ command: 'reset', event: 'done' });
});

test('a sink goes to a time, a duration back, an offset, and no further than its partition', async () => {
  const total = (json: Json): number => json.changes.reduce((sum, { to }) => sum + (to as number), 0);
  expect(total(await asked('reset', 'moved/files', '--to', '-1h'))).toBe(0);
  expect(total(await asked('reset', 'moved/files', '--to', '2020-01-01T00:00:00Z'))).toBe(0);
  expect((await asked('reset', 'moved/files', '--to', '2999-01-01')).changes).toEqual([]);
  expect((await asked('reset', 'moved/files', '--to', '1')).changes.map(({ to }) => to)).toContain(1);
  expect((await asked('set', 'moved/files', '0=999', '1=999')).changes).toEqual([]);
});

test('a file is read from a byte on, from the line behind it within one, from its end, or not at all', async () => {
  const path = join(folder.path, 'a.log');
  expect((await asked('set', 'moved/lines', `${path}=7`, '--execute')).changes).toEqual([
    expect.objectContaining({ place: path, note: null }) as object,
  ]);
  expect(await runOnce()).toEqual(['line 2', 'line 3']);
  expect((await asked('set', 'moved/lines', `${path}=9`, '--execute')).changes[0]?.note).toMatch(/next/);
  expect(await runOnce()).toEqual(['line 3']);
  await appendFile(path, 'line 4\n');
  await asked('reset', 'moved/lines', '--to', 'latest', '--execute');
  expect(await runOnce()).toEqual([]);
  // Written since: all of it may be meant.
  await asked('reset', 'moved/lines', '--to', '-1h', '--execute');
  expect(await runOnce()).toEqual([...FIRST, 'line 4']);
  const { left, changes } = await asked('set', 'moved/lines', `${path}.gone=7`);
  expect([changes, left]).toEqual([[], [{ what: `${path}.gone`, why: expect.stringContaining('include') as string }]]);
});

test('a generator goes to a number, a listener nowhere', async () => {
  expect((await asked('reset', 'moved/numbers', '--to', '1')).changes).toMatchObject([
    { place: 'records', from: 3, to: 1 },
  ]);
  for (const [leg, to, why] of [
    ['moved/numbers', '-1h', 'moving a generator to a time'],
    ['moved/http', 'earliest', 'no positions'],
    ['moved/nobody', 'earliest', 'no pipeline has it'],
    ['moved/lines', '7', 'say of which file'],
    ['moved/files', 'yesterday', 'it is none of earliest, latest'],
  ] as const)
    expect(await offsets('reset', leg, '--to', to)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(why) as string,
    });
});

test.each(['json', 'csv', 'kafka'] as const)(
  'what is exported as %s is what diff finds and import puts back',
  async (format) => {
    const file = `saved.${format}`;
    const leg = format === 'kafka' ? ['moved/files'] : [];
    await offsets('export', ...leg, '--format', format, '--output', file);
    expect(await offsets('diff', file, ...leg)).toMatchObject({ code: 0, stdout: 'No differences.\n' });
    await asked('reset', 'moved/files', '--to', 'earliest', '--execute');
    if (format !== 'kafka') await asked('reset', 'moved/lines', '--to', 'earliest', '--execute');
    const different = await offsets('diff', file, ...leg);
    expect([different.code, different.stdout]).toEqual([1, expect.stringMatching(/^leg +place +saved +file\n/)]);
    const found = format === 'kafka' ? ['--leg', 'moved/files'] : [];
    const { changes, left } = await asked('import', file, ...found, '--execute');
    expect([changes.length > 0, left]).toEqual([true, []]);
    expect((await offsets('diff', file, ...leg)).code).toBe(0);
    expect(await runOnce()).toEqual([]);
  },
);

test('a file of offsets that is damaged is refused with the line', async () => {
  for (const [text, why] of [
    ['sluice.default.moved.sink.files,moved,0,1\nmoved,1,x\n', 'line 2: it is neither topic,partition,offset'],
    ['moved,0,1\n', 'line 1: say of which sink'],
    ['other.group,moved,0,1\n', 'line 1: "other.group" is no consumer group of a sink of hub group "default"'],
    ['{"version":2,"offsets":[]}', 'it holds no offsets of version 1'],
    ['{"version":1,"offsets":[{"kind":"sink","pipeline":"moved","leg":"files"}]}', 'entry 1: it is neither'],
    [
      'kind,pipeline,name,topic,partition,position,incarnation\nsink,moved,files,moved,0,-1,\n',
      'line 2: it is neither',
    ],
  ] as const) {
    await folder.write('bad', text);
    expect(await offsets('import', 'bad')).toMatchObject({ code: 2, stderr: expect.stringContaining(why) as string });
  }
  await folder.write(
    'several',
    'sluice.default.moved.sink.files,moved,0,0\nsluice.default.moved.sink.files,gone,0,0\n',
  );
  const { changes, left } = await asked('import', 'several');
  expect([changes.length, left]).toEqual([1, [{ what: 'moved/files gone/0', why: 'there is no such topic' }]]);
});

test('nothing is changed while the hub runs: the answer is 75 and names it; a look is free', async () => {
  const hub = folder.run();
  await hub.until('it runs', async () => (await folder.api('/ready').catch(() => null))?.status === 200);
  const before = (await stat(join(folder.path, 'data', 'offsets-audit.jsonl'))).size;
  for (const execute of [
    ['reset', 'moved/files', '--to', 'earliest'],
    ['set', 'moved/lines', `${join(folder.path, 'a.log')}=0`],
    ['import', 'saved.json'],
  ]) {
    const refused = await offsets(...execute, '--execute');
    expect([refused.code, refused.stderr]).toEqual([75, expect.stringMatching(new RegExp(`process ${hub.pid}\\b`))]);
    expect((await offsets(...execute)).code).toBe(0);
  }
  expect((await offsets('export')).code).toBe(0);
  expect((await stat(join(folder.path, 'data', 'offsets-audit.jsonl'))).size).toBe(before);
  await hub.end('SIGTERM');
});

/** All of the data folder that is more than a lock. */
async function contents({ path }: HubFolder): Promise<Record<string, string>> {
  const data = join(path, 'data');
  const names = (await readdir(data, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && !entry.name.startsWith('hub.'))
    .map(({ parentPath, name }) => join(parentPath, name));
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(name, 'latin1')] as const)),
  );
}
