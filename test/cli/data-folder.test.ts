import { appendFile, cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Output } from '../../src/cli/io.ts';
import { runCli } from '../../src/cli/program.ts';
import { cleanUp, HubFolder, type HubProcess } from './support/hub-folder.ts';

jest.setTimeout(30_000);
afterAll(cleanUp);

/** Lines that are no JSON end among the dead letters, one of them with what terminals obey. */
const ESCAPES = 'no JSON \u001b[2J\u001b]0;title\u0007 \u202e end';
const INPUT = ['{"n":1}', ESCAPES, '{"n":2}', 'also none', '{"n":3}'];

const strict = `
name: strict
sources:
  - file: { include: ['in.log'] }
    name: lines
    decode: text
topic: { name: strict, partitions: 2 }
sinks:
  - file: { path: out, format: ndjson, roll: { idle: 50ms } }
    name: json
`;

interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** In this process, which is what makes many of them cheap; hubs run in their own. */
async function sluice(folder: HubFolder, ...args: string[]): Promise<Answer> {
  const [stdout, stderr] = [new Captured(), new Captured()];
  const code = await runCli(args, { stdout, stderr, env: process.env, cwd: folder.path });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

class Captured implements Output {
  text = '';

  write(text: string | Uint8Array, written?: () => void): boolean {
    this.text += text.toString();
    written?.();
    return true;
  }
}

async function drained(): Promise<HubFolder> {
  const folder = await HubFolder.create({ 'strict.yaml': strict });
  await folder.write('in.log', `${INPUT.join('\n')}\n`);
  const run = folder.run('--once');
  expect([await run.exit(), run.stderr]).toEqual([
    3,
    expect.stringContaining('2 dead letters. See why: sluice dlq show strict'),
  ]);
  return folder;
}

/** Commands that change nothing share it. */
let folder: HubFolder;
beforeAll(async () => {
  folder = await drained();
});

describe('offsets get', () => {
  it('tells where sinks and sources stand', async () => {
    const { code, stdout } = await sluice(folder, 'offsets', 'get');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^sink +topic +partition +next +end +lag\n(strict\/json +strict +\d +\d +\d +0\n){2}\n/);
    expect(stdout).toMatch(/\nsource +partition +position\nstrict\/lines +\d+:\d+ +\{"path":.*\n/);
    expect(stdout).toMatch(/\n1 sink, 0 records behind\.\n$/);
  });

  it('prints JSON, and only what is asked for', async () => {
    const { stdout } = await sluice(folder, 'offsets', 'get', 'strict/json', '--json');
    const { sinks, sources } = JSON.parse(stdout) as { sinks: { next: number; lag: number }[]; sources: unknown[] };
    expect(sources).toEqual([]);
    expect(sinks.reduce((sum, { next }) => sum + next, 0)).toBe(5);
    expect(sinks.every(({ lag }) => lag === 0)).toBe(true);
    expect(await sluice(folder, 'offsets', 'get', 'nobody')).toMatchObject({
      code: 1,
      stderr: 'sluice: nothing is saved for nobody\n',
    });
  });

  it('reads the folder alone with --data-dir', async () => {
    const { code, stdout } = await sluice(folder, 'offsets', 'get', '--data-dir', 'data');
    expect([code, stdout]).toEqual([0, expect.stringContaining('strict/json')]);
    expect(await sluice(folder, 'offsets', 'get', '--data-dir', 'nowhere')).toMatchObject({
      code: 1,
      stderr: 'sluice: there is no data folder nowhere; `sluice run` makes it\n',
    });
  });
});

describe('dlq', () => {
  it('lists dead letters by cause', async () => {
    const { code, stdout } = await sluice(folder, 'dlq', 'list');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^pipeline +code +stage +leg +records +last\nstrict +SINK_REJECTED +write +json +2 +\d{4}-\S+Z\n\n2 dead letters\. What they are: sluice dlq show strict\n$/,
    );
    const { causes } = JSON.parse((await sluice(folder, 'dlq', 'list', 'strict', '--json')).stdout) as {
      causes: object[];
    };
    expect(causes).toEqual([
      expect.objectContaining({
        pipeline: 'strict',
        topic: 'strict.dead',
        code: 'SINK_REJECTED',
        leg: 'json',
        records: 2,
      }),
    ]);
    expect((await sluice(folder, 'dlq', 'list', 'other')).stdout).toBe('No dead letters.\n');
  });

  it('shows each with its cause, and nothing that a terminal obeys', async () => {
    const { code, stdout } = await sluice(folder, 'dlq', 'show', 'strict');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^strict\+[\w-]{8}\+\d\+1 {3}\d{4}-\S+Z {3}sink json {3}attempts 1\n {2}SINK_REJECTED {2}writing NDJSON: /,
    );
    expect(stdout).toContain('\n  no JSON \\u{1b}[2J\\u{1b}]0;title\\u{7} \\u{202e} end\n');
    expect(stdout.replaceAll('\n', '')).not.toMatch(/\p{C}/u);
    expect(stdout).toMatch(
      /\n2 dead letters of strict\. Once the cause is mended: sluice dlq replay strict --dry-run\n$/,
    );
  });

  it('shows the newest alone, and how to see the others', async () => {
    const { stdout } = await sluice(folder, 'dlq', 'show', 'strict', '--last', '1');
    expect(stdout).toMatch(/The last 1 of 2 dead letters of strict\. All of them: sluice dlq show strict --last 2\n$/);
    expect((await sluice(folder, 'dlq', 'show', 'other')).stdout).toBe(
      'No dead letters of other. There are topics for those of strict.\n',
    );
    expect((await sluice(folder, 'dlq', 'show', 'strict', '--last', '0')).code).toBe(2);
  });

  it('prints JSON lines that are safe and true', async () => {
    const { stdout } = await sluice(folder, 'dlq', 'show', 'strict', '--json');
    expect(stdout).toMatch(/^[\x20-\x7e\n]+$/);
    const letters = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { value: string; code: string; stored: object });
    expect(letters.map(({ value }) => value).sort()).toEqual(['also none', ESCAPES]);
    expect(letters[0]).toMatchObject({
      code: 'SINK_REJECTED',
      stage: 'write',
      attempts: 1,
      stored: { topic: 'strict.dead' },
    });
  });
});

describe('log dump', () => {
  it('prints records, and how to go on', async () => {
    const all = await sluice(folder, 'log', 'dump', 'strict');
    expect([all.code, all.stderr]).toEqual([0, '5 records of strict.\n']);
    expect(all.stdout).toMatch(/^\d@0 {2}\d{4}-\S+Z {2}\{"n":1\}\n/);
    expect(all.stdout.replaceAll('\n', '')).not.toMatch(/\p{C}/u);
    const partition = all.stdout[0]!;
    const some = await sluice(folder, 'log', 'dump', 'strict', '--from', '1', '--limit', '2');
    expect(some.stdout).toMatch(/^\d@1 .*no JSON.*\n\d@2 .*\{"n":2\}\n$/);
    expect(some.stderr).toBe(
      `2 records of strict. Go on with: sluice log dump strict --partition ${partition} --from 3\n`,
    );
    const rest = await sluice(folder, 'log', 'dump', 'strict', '--partition', partition, '--from', '3');
    expect(rest.stdout.trimEnd().split('\n')).toHaveLength(2);
  });

  it('prints JSON lines', async () => {
    const { stdout } = await sluice(folder, 'log', 'dump', 'strict', '--json');
    const records = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { value: string; offset: number; key: null });
    expect(records.map(({ value }) => value)).toEqual(INPUT);
    expect(records[0]).toMatchObject({ offset: 0, key: null, headers: [] });
  });

  it('refuses what is not there, and tells what is', async () => {
    expect(await sluice(folder, 'log', 'dump', 'strickt')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /^sluice: there is no topic strickt in this data folder; there are: .*strict/,
      ) as string,
    });
    expect(await sluice(folder, 'log', 'dump', 'strict', '--partition', '2')).toMatchObject({
      code: 2,
      stderr: 'sluice: topic strict has 2 partitions, from 0 to 1\n',
    });
    expect((await sluice(folder, 'log', 'dump', 'strict', '--from', '1.5')).code).toBe(2);
  });
});

describe('log check', () => {
  it('finds a whole folder fine, and a flipped byte', async () => {
    const fine = await sluice(folder, 'log', 'check');
    expect([fine.code, fine.stdout]).toEqual([0, expect.stringMatching(/\n\d+ files, nothing damaged\.\n$/)]);
    const copy = join(folder.path, 'damaged');
    await cp(join(folder.path, 'data'), copy, { recursive: true });
    const segment = await largestSegment(join(copy, 'topics', 'strict'));
    const bytes = await readFile(segment);
    bytes[bytes.length - 3]! ^= 1;
    await writeFile(segment, bytes);
    const found = await sluice(folder, 'log', 'check', '--data-dir', 'damaged');
    expect(found.code).toBe(1);
    expect(found.stdout).toMatch(/\nDAMAGED {3}.*topics\/strict\/\d\/0{20}\.log {3}/);
    expect(found.stdout).toMatch(/, 1 damaged\. Nothing was changed/);
    const json = await sluice(folder, 'log', 'check', '--data-dir', 'damaged', '--json');
    const lines = json.stdout.trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { ok: boolean }).ok).filter((ok) => !ok)).toHaveLength(1);
  });
});

describe('log repair', () => {
  it('tells what it would do, does it, and leaves a folder that is whole', async () => {
    expect(await sluice(folder, 'log', 'repair')).toMatchObject({
      code: 0,
      stdout: 'Nothing is damaged: nothing to repair.\n',
    });
    const copy = join(folder.path, 'mended');
    await cp(join(folder.path, 'data'), copy, { recursive: true });
    const segment = await largestSegment(join(copy, 'topics', 'strict'));
    const bytes = await readFile(segment);
    bytes[bytes.length - 3]! ^= 1;
    await writeFile(segment, bytes);
    const at = ['--data-dir', 'mended'];
    const dry = await sluice(folder, 'log', 'repair', ...at);
    expect([dry.code, dry.stdout]).toEqual([
      0,
      expect.stringMatching(/\n1 place would be repaired\. This was a dry run/),
    ]);
    expect(await readFile(segment)).toEqual(bytes);
    const done = await sluice(folder, 'log', 'repair', ...at, '--execute', '--json');
    expect(JSON.parse(done.stdout)).toMatchObject({ path: segment, executed: true });
    expect((await sluice(folder, 'log', 'check', ...at)).code).toBe(0);
    const [kept] = await readdir(join(copy, 'damaged'));
    expect(await readdir(join(copy, 'damaged', kept!, dirname(relative(copy, segment))))).toHaveLength(1);
  });
});

describe('offsets forget', () => {
  it('lets a sink go, which then starts anew', async () => {
    const own = await drained();
    expect(await sluice(own, 'offsets', 'forget', 'strict/json')).toMatchObject({
      code: 0,
      stdout: 'forgotten: sink strict/json. If a pipeline has it, it starts where its `start` says.\n',
    });
    expect((await sluice(own, 'offsets', 'get', 'strict/json')).code).toBe(1);
    expect(await sluice(own, 'offsets', 'forget', 'strict/json')).toMatchObject({
      code: 1,
      stderr: 'sluice: nothing is saved for strict/json; what is: sluice offsets get\n',
    });
    const source = await sluice(own, 'offsets', 'forget', 'strict/lines', '--json');
    expect(JSON.parse(source.stdout)).toEqual({ forgotten: true, kind: 'source', pipeline: 'strict', leg: 'lines' });
    const again = own.run('--once');
    await again.exit();
    expect(again.stderr).toContain('strict: 5 in');
  });

  it('wants a whole name', async () => {
    expect((await sluice(folder, 'offsets', 'forget', 'strict')).code).toBe(2);
    expect((await sluice(folder, 'offsets', 'forget', 'strict/json', '--sink', '--source')).code).toBe(2);
  });
});

describe('beside a running hub', () => {
  let own: HubFolder;
  let hub: HubProcess;
  beforeAll(async () => {
    own = await HubFolder.create({ 'strict.yaml': strict });
    await own.write('in.log', '{"n":1}\n');
    hub = own.run();
    await hub.until('the first is published', async () => (await own.published('out')).length === 1);
  });

  it('offsets, dead letters and records are read', async () => {
    await appendFile(join(own.path, 'in.log'), 'no JSON\n');
    await hub.until('its dead letter is there', async () =>
      (await sluice(own, 'dlq', 'show', 'strict')).stdout.includes('no JSON'),
    );
    await hub.until('its offset is saved', async () => {
      const { stdout } = await sluice(own, 'offsets', 'get', 'strict/json', '--json');
      const { sinks } = JSON.parse(stdout) as { sinks: { next: number }[] };
      return sinks.reduce((sum, { next }) => sum + next, 0) === 2;
    });
    expect((await sluice(own, 'log', 'dump', 'strict')).stderr).toBe('2 records of strict.\n');
    expect((await sluice(own, 'log', 'check')).code).toBe(0);
  });

  it('nothing is forgotten: the answer is 75 and names the hub', async () => {
    const answer = await sluice(own, 'offsets', 'forget', 'strict/json');
    expect([answer.code, answer.stderr]).toEqual([75, expect.stringMatching(new RegExp(`process ${hub.pid}\\b`))]);
    expect((await sluice(own, 'offsets', 'get', 'strict/json')).code).toBe(0);
  });
});

test('a broken configuration is told, and how to do without', async () => {
  const broken = await HubFolder.create({ 'strict.yaml': strict.replace('include', 'inclde') });
  const answer = await sluice(broken, 'offsets', 'get');
  expect(answer.code).toBe(2);
  expect(answer.stderr).toMatch(/strict\.yaml:4:\d+ .*\n.*give --data-dir/s);
});

async function largestSegment(topic: string): Promise<string> {
  const names = (await readdir(topic, { recursive: true })).filter((name) => name.endsWith('.log'));
  const sizes = await Promise.all(names.map(async (name) => (await readFile(join(topic, name))).length));
  return join(topic, names[sizes.indexOf(Math.max(...sizes))]!);
}
