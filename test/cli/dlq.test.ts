import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cleanUp, HubFolder } from './support/hub-folder.ts';
import { runHere, type CommandResult } from './support/run-here.ts';

jest.setTimeout(90_000);
afterAll(cleanUp);

const BAD = Array.from({ length: 5 }, (_, n) => `{"k":"bad","n":"${n}"}`);
const GOOD = ['{"k":"good","n":1}', '{"k":"good","n":2}'];
const NO_JSON = 'no JSON';

/** Numbers in quotes have no place in the comparison, and what is no JSON has no key. */
function pipeline({ key, where }: { key: boolean; where: boolean }): string {
  return `
name: letters
sources:
  - file: { include: ['*.log'] }
    name: lines
${key ? '    key: value.k' : '    decode: text'}
topic: { name: letters, partitions: 2 }
sinks:
  - file: { path: out, roll: { idle: 50ms } }
    name: files
${where ? '    where: value.n > 0' : ''}
`;
}

interface Replayed {
  readonly records: number;
  readonly delivered: number;
  readonly refused: number;
  readonly parked: number;
}

interface Shown {
  readonly id: string;
  readonly hops: number;
  readonly value: string;
  readonly parked: boolean;
}

let folder: HubFolder;
const dlq = (...args: string[]): Promise<CommandResult> => runHere(folder.path, ['dlq', ...args]);
const replayed = async (...args: string[]): Promise<Replayed> =>
  JSON.parse((await dlq('replay', 'letters', ...args, '--allow-overwrite', '--json')).stdout) as Replayed;

/** Without where they lie: a purge writes those that it keeps once more. */
async function shown(...args: string[]): Promise<Shown[]> {
  const { stdout } = await dlq('show', 'letters', '--json', ...args);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => ({ ...(JSON.parse(line) as Shown), stored: undefined }));
}

async function filesBelow(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const texts = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(texts.sort().map(async (file) => `${file} ${(await readFile(file)).toString('base64')}`));
}

async function refuseSome(): Promise<void> {
  folder = await HubFolder.create({ 'p.yaml': pipeline({ key: true, where: true }) });
  await folder.write('in.log', [...BAD, ...GOOD, NO_JSON].map((line) => `${line}\n`).join(''));
  expect(await folder.run('--once').exit()).toBe(3);
  expect(await folder.published('out')).toEqual(GOOD);
}

describe('while the fault is there', () => {
  beforeAll(refuseSome);

  test('a replay says what it would do, changes nothing then, and wants permission where records could come twice', async () => {
    const before = await filesBelow(join(folder.path, 'data'));
    const { code, stdout } = await dlq('replay', 'letters', '--dry-run');
    expect([code, stdout.split('\n')]).toEqual([
      0,
      [
        '6 dead letters of letters would be replayed to whoever refused them:',
        '  source lines: 1 record',
        '  sink files: 5 records',
        'This was a dry run. Do it: sluice dlq replay letters --allow-overwrite',
        '',
      ],
    ]);
    const refused = await dlq('replay', 'letters', '--sink', 'files');
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('--allow-overwrite')]);
    expect(await filesBelow(join(folder.path, 'data'))).toEqual(before);
    expect((await dlq('replay', 'nobody')).stderr).toBe(
      'sluice: this hub has no pipeline nobody; there are: letters\n',
    );
  });

  test('stats sum up', async () => {
    const { stdout } = await dlq('stats');
    expect(stdout).toMatch(
      /^pipeline +records +size .*\nletters +6 +\d\.\d KiB +6 +6 +0 +0 +0 +\S+Z +\S+Z\n\n6 dead letters\./,
    );
    expect(JSON.parse((await dlq('stats', 'letters', '--sink', 'files', '--json')).stdout)).toMatchObject({
      pipelines: [{ pipeline: 'letters', records: 5, last_hour: 5, refused_again: 0, parked: 0, by_reference: 0 }],
    });
  });

  test('what is refused again counts its hops, is parked after the third, and comes back from there', async () => {
    const ids = (await shown('--sink', 'files')).map(({ id }) => id).sort();
    expect(ids).toHaveLength(BAD.length);
    for (const hops of [2, 3]) {
      expect(await replayed()).toMatchObject({ records: 6, delivered: 0, refused: 6, parked: 0 });
      const letters = await shown();
      expect(letters.map((letter) => letter.hops)).toEqual(Array.from({ length: 6 }, () => hops));
      expect(letters.flatMap(({ id }) => (ids.includes(id) ? [id] : [])).sort()).toEqual(ids);
    }
    const { code, stdout } = await dlq('replay', 'letters', '--allow-overwrite');
    expect([code, stdout]).toEqual([
      3,
      expect.stringMatching(/0 delivered, 6 parked: refused three times\.\n.*--parked/s),
    ]);
    expect((await shown()).every(({ parked }) => parked)).toBe(true);
    expect(await replayed()).toMatchObject({ records: 0 });

    await folder.write('p.yaml', pipeline({ key: false, where: false }));
    expect(await replayed('--parked')).toMatchObject({ records: 6, delivered: 6, refused: 0, parked: 0 });
    expect(await folder.published('out')).toEqual([...BAD, ...GOOD].sort());
    // Behind a source it is the hub that delivers.
    expect(await folder.run('--once').exit()).toBe(0);
    expect(await folder.published('out')).toEqual([...BAD, ...GOOD, NO_JSON].sort());
    expect((await shown()).map(({ hops }) => hops)).toEqual(Array.from({ length: 6 }, () => 3));
  });
});

describe('when it is mended', () => {
  beforeAll(async () => {
    await refuseSome();
    await folder.write('p.yaml', pipeline({ key: false, where: false }));
  });

  test('a replay that is killed goes on where it stood, and nothing comes twice', async () => {
    const flags = ['letters', '--sink', 'files', '--allow-overwrite'];
    const first = folder.sluice('dlq', 'replay', ...flags, '--rate', '1/s');
    await first.until('two are written', async () => (await folder.published('out')).length >= GOOD.length + 2);
    await first.end('SIGKILL');
    const rest = await dlq('replay', ...flags);
    expect(rest.stdout).toMatch(/^5 dead letters of letters, with those of before it was interrupted: 5 delivered\.\n/);
    expect(await folder.published('out')).toEqual([...BAD, ...GOOD].sort());
  });

  test('codes, stages, legs and conditions say which; a hub that runs keeps its folder', async () => {
    expect(await replayed('--code', 'NO_SUCH')).toMatchObject({ records: 0 });
    expect(await replayed('--until', '1d')).toMatchObject({ records: 0 });
    const some = await replayed('--stage', 'where', '--where', "value.n in ['0', '3']", '--since', '1h');
    expect(some).toMatchObject({ records: 2, delivered: 2 });
    expect(await folder.published('out')).toEqual([...BAD, BAD[0]!, BAD[3]!, ...GOOD].sort());
    const hub = folder.run();
    await hub.until('it runs', async () => (await folder.api('/ready').catch(() => null))?.status === 200);
    const { code, stderr } = await dlq('replay', 'letters', '--allow-overwrite');
    expect([code, stderr]).toEqual([75, expect.stringContaining('in use')]);
    expect((await dlq('replay', 'letters', '--dry-run')).code).toBe(0);
    expect(await hub.end('SIGTERM')).toBe(0);
  });

  test('what is purged is gone for good, the others stay what they are, and a line says who did it', async () => {
    const before = await shown();
    const gone = ['--sink', 'files', '--where', "value.n in ['0', '3']"];
    const dry = await dlq('purge', 'letters', ...gone);
    expect(dry.stdout).toMatch(
      /files +2 .*\n\n2 dead letters would be gone for good\. .* --sink files --where .* --execute\n$/s,
    );
    expect(await shown()).toEqual(before);
    expect((await dlq('purge', 'letters', ...gone, '--execute')).stdout).toContain('2 dead letters purged.\n');
    const left = before.filter(({ value }) => value !== BAD[0] && value !== BAD[3]);
    expect(await shown()).toEqual(left);
    expect(await replayed()).toMatchObject({ records: 4, delivered: 4 });
    expect(await folder.run('--once').exit()).toBe(0);
    expect(await shown()).toEqual(left);
    await dlq('purge', 'letters', '--execute');
    expect(await shown()).toEqual([]);
    const audit = (await readFile(join(folder.path, 'data', 'dlq-audit.jsonl'), 'utf8')).trimEnd().split('\n');
    expect(audit.map((line) => JSON.parse(line) as object)).toMatchObject([
      { command: 'purge', event: 'begun', pipeline: 'letters', filter: { sink: 'files' }, causes: [{ records: 2 }] },
      { event: 'done' },
      { event: 'begun', filter: {} },
      { event: 'done' },
    ]);
  });
});
