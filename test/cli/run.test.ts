import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cleanUp, HubFolder, type HubProcess } from './support/hub-folder.ts';

jest.setTimeout(30_000);
afterEach(cleanUp);

const lines = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => `line ${String(from + index).padStart(6, '0')}`);
const text = (from: number, to: number): string => `${lines(from, to).join('\n')}\n`;

const toFiles = `
name: copy
sources:
  - file: { include: ['in.log'] }
    decode: text
topic: { name: copy, partitions: 2 }
sinks:
  - file: { path: out, roll: { idle: 100ms } }
`;

const toConsole = `
name: show
sources:
  - file: { include: ['in.log'] }
    decode: text
topic: show
sinks:
  - console: {}
`;

const postToConsole = `
name: post
sources:
  - http: { listen: HTTP }
topic: post
sinks:
  - console: {}
`;

const generateToConsole = `
name: flood
sources:
  - generate: {}
topic: flood
sinks:
  - console: {}
`;

const untilPublished = (folder: HubFolder, hub: HubProcess, count: number): Promise<void> =>
  hub.until(`${count} lines are published`, async () => (await folder.published('out')).length >= count);

test('run --once delivers everything, says so, and finds nothing new the second time', async () => {
  const folder = await HubFolder.create({ 'copy.yaml': toFiles });
  await folder.write('in.log', `${text(0, 500)}the last line has no end`);
  const first = folder.run('--once');
  expect(await first.exit()).toBe(0);
  expect(first.stderr).toMatch(
    /^sluice \d+\.\d+\.\d+ · hub default · embedded log in data\n {2}copy {3}file → copy \(2 partitions\) → file\(out\/\)\n/,
  );
  expect(first.stderr).toContain('copy: 501 in, 501 delivered, 0 dead letters. Everything is delivered.\n');
  expect(await folder.published('out')).toEqual([...lines(0, 500), 'the last line has no end']);
  const second = folder.run('--once');
  expect(await second.exit()).toBe(0);
  expect(second.stderr).toContain('copy: 0 in, 0 delivered');
  expect(await folder.published('out')).toHaveLength(501);
});

test('a daemon delivers what comes, tells how it does, drains on SIGTERM, and goes on where it stopped', async () => {
  const folder = await HubFolder.create({ 'copy.yaml': toFiles, 'post.yaml': postToConsole });
  await folder.write('in.log', text(0, 300));
  const first = folder.run();
  await untilPublished(folder, first, 300);
  await first.until('it is ready', async () => (await folder.api('/ready')).status === 200);
  const posted = await fetch(`http://127.0.0.1:${folder.httpPort}/`, { method: 'POST', body: '{"hello":"world"}' });
  expect(posted.status).toBe(200);
  await first.until('the record is printed', () => first.stdout.includes('{"hello":"world"}'));
  await first.until('the numbers are there', async () =>
    (await folder.api('/metrics')).body.includes('sluice_sink_records_total{pipeline="post",sink="console"} 1\n'),
  );
  const status = JSON.parse((await folder.api('/status')).body) as { pipelines: { name: string; state: string }[] };
  expect(status.pipelines.map(({ name, state }) => [name, state])).toEqual([
    ['copy', 'running'],
    ['post', 'running'],
  ]);
  await appendFile(join(folder.path, 'in.log'), text(300, 400));
  await untilPublished(folder, first, 400);
  expect(await first.end('SIGTERM')).toBe(0);
  expect(first.stderr).toMatch(
    /drained: sources stopped, 0 records in flight, offsets saved \(.*\)\ncopy: 400 in, 400 delivered/,
  );

  await appendFile(join(folder.path, 'in.log'), text(400, 500));
  const second = folder.run();
  await untilPublished(folder, second, 500);
  expect(await second.end('SIGINT')).toBe(0);
  expect(second.stderr).toContain('copy: 100 in, 100 delivered');
  expect(second.stdout).not.toContain('hello');
  expect(await folder.published('out')).toEqual(lines(0, 500));
});

test('after SIGKILL every line is there once', async () => {
  const folder = await HubFolder.create({ 'copy.yaml': toFiles });
  await folder.write('in.log', text(0, 20_000));
  for (let kill = 0; kill < 3; kill++) {
    const hub = folder.run();
    await hub.until('something is published', async () => (await folder.published('out')).length > 0);
    await hub.end('SIGKILL');
  }
  const last = folder.run('--once');
  expect(await last.exit()).toBe(0);
  expect(await folder.published('out')).toEqual(lines(0, 20_000));
});

test('a second hub on the same data folder ends at once with 75 and names the first', async () => {
  const folder = await HubFolder.create({ 'show.yaml': toConsole });
  await folder.write('in.log', text(0, 1));
  const first = folder.run();
  await first.until('it runs', () => first.stdout.includes('line 000000'));
  const startedAt = performance.now();
  const second = folder.run();
  expect(await second.exit()).toBe(75);
  // Beside other tests; alone it is within a second.
  expect(performance.now() - startedAt).toBeLessThan(3000);
  expect(second.stderr).toMatch(new RegExp(`^sluice: .*in use by process ${first.pid}\\b`));
  expect(await first.end('SIGTERM')).toBe(0);
});

test('what cannot run is refused with 2: a wrong configuration, an endless pipeline with --once, an unknown flag', async () => {
  const folder = await HubFolder.create({
    'post.yaml': postToConsole,
    'bad.yaml': toFiles.replace('include', 'inclde'),
  });
  const wrong = folder.run();
  expect(await wrong.exit()).toBe(2);
  expect(wrong.stderr + wrong.stdout).toMatch(/bad\.yaml:4:\d+ .*did you mean `include`/);
  const endless = folder.run('--once', 'post');
  expect(await endless.exit()).toBe(2);
  expect(endless.stderr).toContain('pipeline post has only sources whose input never ends');
  expect(await folder.run('--onec').exit()).toBe(2);
});

test('an address that is taken ends the run with its name', async () => {
  const folder = await HubFolder.create({ 'show.yaml': toConsole });
  await folder.write('in.log', text(0, 1));
  const other = await HubFolder.create({ 'show.yaml': toConsole }, '');
  await other.write(
    'sluice.yaml',
    `data_dir: data\npipelines: ['show.yaml']\napi: { listen: '127.0.0.1:${folder.apiPort}' }\n`,
  );
  await other.write('in.log', text(0, 1));
  const first = folder.run();
  await first.until('its API answers', async () => {
    try {
      return (await folder.api('/health')).status === 200;
    } catch {
      return false;
    }
  });
  const second = other.run();
  expect(await second.exit()).toBe(1);
  expect(second.stderr).toContain(`sluice: listening on 127.0.0.1:${folder.apiPort}`);
});

test('a second signal ends a drain that is stuck', async () => {
  const folder = await HubFolder.create({ 'flood.yaml': generateToConsole });
  const hub = folder.run();
  await hub.until('records are printed', () => hub.stdout.length > 1000);
  // Nobody reads: the console sink cannot finish what it has.
  hub.stopReading();
  await sleep(500);
  hub.signal('SIGTERM');
  await sleep(500);
  expect(await hub.end('SIGTERM')).toBe(4);
  expect(hub.stderr).toContain('stopped before everything was drained');
});

test('when the reader of its output is gone, the hub ends', async () => {
  const folder = await HubFolder.create({ 'flood.yaml': generateToConsole });
  const hub = folder.run();
  await hub.until('records are printed', () => hub.stdout.length > 1000);
  hub.closeStdout();
  await hub.exit();
  expect(hub.stderr).toContain('flood: ');
});

test('with --json everything that is said is an object a line', async () => {
  const folder = await HubFolder.create({ 'copy.yaml': toFiles });
  await folder.write('in.log', text(0, 5));
  const hub = folder.run('--once', '--json');
  expect(await hub.exit()).toBe(0);
  const entries = hub.stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(entries.at(-1)).toMatchObject({
    message: 'pipeline ended',
    pipeline: 'copy',
    outcome: 'drained',
    delivered: 5,
  });
});
