import { mkdir, readdir, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanUp, HubFolder, type HubProcess } from '../cli/support/hub-folder.ts';

/** Records that want to choose a path, break a terminal or exhaust a decoder, against a running hub. */
jest.setTimeout(60_000);
afterEach(cleanUp);

const byHost = `
name: hosts
sources:
  - http: { listen: HTTP }
topic: hosts
sinks:
  - file: { path: 'out/{{ value.host }}', roll: { idle: 100ms } }
`;

const hostileNames = [
  '../../../../tmp/sluice-escaped',
  '/etc/cron.d/x',
  '..',
  '.',
  '',
  'a/b',
  'a\\b',
  'nul\u0000byte',
  'line\nfeed',
  '%2e%2e%2f',
  'x'.repeat(4096),
  '*',
  '.hidden',
];

test('a record chooses a folder below the literal prefix or becomes a dead letter, and neighbours are delivered', async () => {
  const folder = await HubFolder.create({ 'hosts.yaml': byHost });
  const hub = await listening(folder);
  for (const host of hostileNames) {
    expect((await post(folder, JSON.stringify({ host }))).status).toBe(200);
    expect((await post(folder, JSON.stringify({ host: 'good', beside: host }))).status).toBe(200);
  }
  await hub.until('all neighbours are published', async () => {
    const lines = await folder.published('out').catch(() => []);
    return lines.filter((line) => line.includes('"host":"good"')).length === hostileNames.length;
  });
  await hub.until('every other record is delivered or refused', async () => {
    const { pipelines } = JSON.parse((await folder.api('/status')).body) as Status;
    const sink = pipelines[0]!.sinks[0]!;
    return sink.lag === 0 && sink.records + sink.deadLettered === 2 * hostileNames.length;
  });
  const entries = await readdir(join(folder.path, 'out'), { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    expect(entry.parentPath.startsWith(join(folder.path, 'out'))).toBe(true);
    expect(entry.name).toMatch(/^[^\p{Cc}/]+$/u);
  }
  expect((await readdir(tmpdir())).filter((name) => name.startsWith('sluice-escaped'))).toEqual([]);
  expect((await readdir('/etc/cron.d').catch(() => [])).filter((name) => name === 'x')).toEqual([]);
  expect(await hub.end('SIGTERM')).toBe(0);
});

test('a symbolic link planted where a sink writes is not followed', async () => {
  const folder = await HubFolder.create({ 'hosts.yaml': byHost });
  await mkdir(join(folder.path, 'elsewhere'));
  await mkdir(join(folder.path, 'out'));
  await symlink(join(folder.path, 'elsewhere'), join(folder.path, 'out', 'linked'));
  const hub = await listening(folder);
  await post(folder, JSON.stringify({ host: 'linked' }));
  await hub.until('the sink says why it does not write', async () =>
    /symbolic link|outside|linked/.test(`${hub.stderr}${(await folder.api('/status')).body}`),
  );
  expect(await readdir(join(folder.path, 'elsewhere'), { recursive: true })).toEqual([]);
});

test('escape sequences reach the terminal as text', async () => {
  const folder = await HubFolder.create({
    'show.yaml': byHost.replace(/ {2}- file:.*\n/, '  - console: {}\n'),
  });
  const hub = await listening(folder);
  const hostile = '\u001b]0;owned\u0007\u001b[2J\u202egnp.exe <img src=x onerror=alert(1)>';
  await post(folder, hostile, 'text/plain');
  await hub.until('the record is printed', () => hub.stdout.includes('onerror'));
  for (const character of ['\u001b', '\u0007', '\u202e']) expect(hub.stdout).not.toContain(character);
  expect(await hub.end('SIGTERM')).toBe(0);
});

test('lines that cannot be decoded, are too deep or have too many keys become dead letters with cause and position; later ones flow', async () => {
  const folder = await HubFolder.create({
    'lines.yaml': `
name: lines
sources:
  - file: { include: ['in.log'] }
topic: { name: lines, max_record: 64KiB }
sinks:
  - file: { path: out, roll: { idle: 100ms } }
    where: value.n >= 0
`,
  });
  const many = Array.from({ length: 5000 }, (_, index) => `"k${index}":1`).join(',');
  const bad = ['not json', `${'['.repeat(1000)}${']'.repeat(1000)}`, `{${many}}`, 'y'.repeat(1_000_000)];
  const good = (n: number): string => `{"n":${n}}`;
  await folder.write('in.log', bad.map((line, index) => `${good(index)}\n${line}\n`).join('') + `${good(9)}\n`);
  const hub = folder.run('--once');
  expect(await hub.exit()).toBe(3);
  expect((await folder.published('out')).filter((line) => line.length < 100)).toEqual([0, 1, 2, 3, 9].map(good));
  const listed = folder.sluice('dlq', 'show', 'lines', '--json');
  expect(await listed.exit()).toBe(0);
  const codes = listed.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { code: string; stage: string; source_position: string | null });
  expect(codes.map(({ code }) => code).sort()).toEqual(
    expect.arrayContaining(['DECODE_DEPTH', 'DECODE_INVALID', 'RECORD_TOO_LARGE']),
  );
  expect(codes.find(({ code }) => code === 'RECORD_TOO_LARGE')).toMatchObject({
    stage: 'source',
    source_position: expect.stringMatching(/in\.log@\d+$/) as string,
  });
});

interface Status {
  readonly pipelines: readonly {
    readonly sinks: readonly { readonly records: number; readonly deadLettered: number; readonly lag: number }[];
  }[];
}

async function listening(folder: HubFolder): Promise<HubProcess> {
  const hub = folder.run();
  await hub.until('it listens', async () => {
    try {
      return (await folder.api('/ready')).status === 200 && (await post(folder, '', 'text/plain')).status > 0;
    } catch {
      return false;
    }
  });
  return hub;
}

async function post(folder: HubFolder, body: string, type = 'application/json'): Promise<Response> {
  const response = await fetch(`http://127.0.0.1:${folder.httpPort}/`, {
    method: 'POST',
    headers: { 'content-type': type },
    body,
  });
  await response.arrayBuffer();
  return response;
}
