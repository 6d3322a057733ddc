import { appendFile, chmod, readdir } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cleanUp, HubFolder, type HubProcess } from '../cli/support/hub-folder.ts';

/** What the machine does to a hub: its clock jumps, its data folder becomes read-only, its descriptors run out. */
jest.setTimeout(60_000);
afterEach(cleanUp);

const SHIFTED_CLOCK = new URL('support/shifted-clock.mjs', import.meta.url);
const PIPELINE = `name: machine
sources:
  - http: { listen: HTTP }
  - file: { include: ['in.log'] }
topic: { name: machine, partitions: 1, retention: { age: 30m, size: 2MiB } }
sinks:
  - file: { path: out, roll: { idle: 100ms } }
`;

test('a clock that jumps an hour ahead, two back and by a leap second stops no timer and costs no record', async () => {
  const folder = await HubFolder.create({ 'machine.yaml': PIPELINE });
  await folder.write('shift', '0');
  folder.env.SHIFTED_CLOCK = join(folder.path, 'shift');
  folder.env.NODE_OPTIONS = `--import ${SHIFTED_CLOCK.href}`;
  const traffic = await Traffic.start(folder);
  for (const seconds of [0, 3600, -3600, -3601, 0]) {
    await folder.write('shift', String(seconds));
    await sleep(100);
    expect(await traffic.post()).toBeLessThan(300);
    await traffic.append();
    await traffic.delivered();
  }
  expect(await traffic.hub.end('SIGTERM')).toBe(0);
});

test('a data folder that becomes read-only refuses posts, holds files, and the hub goes on by itself once it can write', async () => {
  const folder = await HubFolder.create({ 'machine.yaml': PIPELINE });
  // Root writes wherever it likes, unless it is told otherwise.
  if (process.getuid?.() === 0) folder.launcher = ['setpriv', '--bounding-set=-dac_override'];
  const traffic = await Traffic.start(folder);
  const data = join(folder.path, 'data');
  await setWritable(data, false);
  await traffic.hub.until('a post is refused', async () => (await traffic.post()) >= 400, 30_000);
  await traffic.append();
  await sleep(500);
  expect((await folder.api('/status')).body).toMatch(/degraded|backing_off/);
  await setWritable(data, true);
  await traffic.hub.until('a post is accepted', async () => (await traffic.post()) < 300, 30_000);
  await traffic.delivered();
  expect(await traffic.hub.end('SIGTERM')).toBe(0);
});

test('64 descriptors: connections that are too many are refused, records and checkpoints stay whole, and it is said', async () => {
  const folder = await HubFolder.create({ 'machine.yaml': PIPELINE });
  folder.launcher = ['prlimit', '--nofile=64'];
  const traffic = await Traffic.start(folder);
  expect(await traffic.post()).toBeLessThan(300);
  const sockets: Socket[] = Array.from({ length: 100 }, () =>
    connect(folder.httpPort, '127.0.0.1').on('error', () => undefined),
  );
  await sleep(500);
  await traffic.append();
  await sleep(500);
  expect((await folder.api('/status').catch(() => null))?.body ?? traffic.hub.output).toMatch(
    /raise the limit of open files \(`ulimit -n`\): EMFILE/,
  );
  for (const socket of sockets) socket.destroy();
  await traffic.hub.until('a post is accepted', async () => (await traffic.post().catch(() => 0)) === 200, 30_000);
  await traffic.delivered();
  expect(await traffic.hub.end('SIGTERM')).toBe(0);
});

/** Records with numbers, by HTTP and by file, and what became of them. */
class Traffic {
  readonly hub: HubProcess;
  readonly #folder: HubFolder;
  readonly #accepted: string[] = [];
  #next = 0;

  private constructor(folder: HubFolder) {
    this.#folder = folder;
    this.hub = folder.run();
  }

  static async start(folder: HubFolder): Promise<Traffic> {
    await folder.write('in.log', '');
    const traffic = new Traffic(folder);
    await traffic.hub.until('it is ready', async () => {
      const ready = await folder.api('/ready').catch(() => null);
      return ready?.status === 200;
    });
    return traffic;
  }

  /** The status of the answer. What was accepted has to arrive. */
  async post(): Promise<number> {
    const record = this.#record();
    const response = await fetch(`http://127.0.0.1:${this.#folder.httpPort}/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', connection: 'close' },
      body: record,
    });
    await response.arrayBuffer();
    if (response.status < 300) this.#accepted.push(record);
    return response.status;
  }

  async append(): Promise<void> {
    const records = Array.from({ length: 100 }, () => this.#record());
    await appendFile(join(this.#folder.path, 'in.log'), `${records.join('\n')}\n`);
    this.#accepted.push(...records);
  }

  /** All that was accepted, once each, and nothing else. */
  async delivered(): Promise<void> {
    await this.hub.until('all is published', async () => {
      const lines = await this.#folder.published('out');
      return lines.length >= this.#accepted.length;
    });
    expect(await this.#folder.published('out')).toEqual(this.#accepted.toSorted());
  }

  #record(): string {
    return `{"n":${this.#next++},"filler":"${'x'.repeat(4000)}"}`;
  }
}

async function setWritable(folder: string, writable: boolean): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries)
    await chmod(join(entry.parentPath, entry.name), (entry.isDirectory() ? 0o555 : 0o444) + (writable ? 0o200 : 0));
  await chmod(folder, writable ? 0o755 : 0o555);
}
