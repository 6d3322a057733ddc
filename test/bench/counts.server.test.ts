import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { AccessLog, linesFile } from '../../bench/lines.ts';
import { wireFile } from '../../bench/wire-files.ts';
import { freePorts } from '../../src/testing/free-ports.ts';
import { serverSuite, uniqueName } from '../support/servers.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');
/** What happens once for a run is the same in both, and the difference is what the records cost. */
const [FEW, MANY] = [50_000, 200_000];

const MOST_CALLS = 200;

interface Counts {
  readonly copied: number;
  readonly buffers: number;
  readonly objects: number;
  readonly calls: number;
}

interface Costs {
  readonly copiesPerByte: number;
  readonly buffersPerByte: number;
  readonly objectBytesPerRecord: number;
  readonly callsPerMebibyte: number;
}

/** Times depend on the machine, these do not: what a change of the record path makes worse shows here. */
serverSuite('what a record costs on its way into Kafka', ['kafka'], (where) => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-counts-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** A hub that is counted in; `go` resolves with its end. */
  async function counted(
    pipeline: (name: string) => string,
    parameters: readonly string[],
    go: (home: string, command: readonly string[], environment: NodeJS.ProcessEnv) => Promise<void>,
  ): Promise<Counts> {
    const home = await mkdtemp(join(folder, 'hub-'));
    const counts = await mkdtemp(join(folder, 'counts-'));
    const name = uniqueName('counts');
    await writeFile(
      join(home, 'sluice.yaml'),
      `kafka: { brokers: ['${where.kafka.brokers}'] }\napi: off\nbuffer_size: 8MiB\n`,
    );
    await writeFile(join(home, 'pipeline.yaml'), `name: ${name}\n${pipeline(name)}\n`);
    const counter = join(import.meta.dirname, 'support', 'counter.ts');
    const hub = [join(root, 'src', 'cli', 'main.ts'), 'run', 'pipeline.yaml', ...parameters];
    const environment = { ...process.env, SLUICE_COUNTS: counts };
    await go(home, ['-C', 'sluice-source', '--import', counter, ...hub], environment);
    const threads = await Promise.all(
      (await readdir(counts)).map(async (file) => JSON.parse(await readFile(join(counts, file), 'utf8')) as Counts),
    );
    const sum = (of: (thread: Counts) => number): number => threads.reduce((total, thread) => total + of(thread), 0);
    return {
      copied: sum(({ copied }) => copied),
      buffers: sum(({ buffers }) => buffers),
      objects: sum(({ objects }) => objects),
      calls: sum(({ calls }) => calls),
    };
  }

  const topicOf = (name: string, compression: string): string =>
    `topic: { name: ${name}, partitions: 4, compression: ${compression} }`;

  function fileCounts(compression: string, lines: Buffer): Promise<Counts> {
    return counted(
      (name) => `sources: [{ file: { include: [in.log] } }]\n${topicOf(name, compression)}`,
      ['--once'],
      async (cwd, command, env) => {
        await writeFile(join(cwd, 'in.log'), lines);
        await run(process.execPath, command, { cwd, env });
      },
    );
  }

  async function streamCounts(source: 'fluentd' | 'syslog', file: string): Promise<Counts> {
    const [port] = (await freePorts(1)) as [number];
    return counted(
      (name) => `sources: [{ ${source}: { listen: '127.0.0.1:${port}' } }]\n${topicOf(name, 'lz4')}`,
      [],
      async (cwd, command, env) => {
        const hub = spawn(process.execPath, command, { cwd, env, stdio: 'ignore' });
        const ended = once(hub, 'exit');
        const socket = await listening(port, hub.exitCode);
        socket.resume().end(await readFile(file));
        await once(socket, 'close');
        hub.kill('SIGTERM');
        await ended;
      },
    );
  }

  /** Again where a broker that is slow for a moment has the socket take batches in small parts, which is not ours. */
  async function costs(
    bytes: number,
    countFew: () => Promise<Counts>,
    countMany: () => Promise<Counts>,
  ): Promise<Costs> {
    for (let left = 3; ; left--) {
      const [few, many] = [await countFew(), await countMany()];
      const each = {
        copiesPerByte: (many.copied - few.copied) / bytes,
        buffersPerByte: (many.buffers - few.buffers) / bytes,
        objectBytesPerRecord: (many.objects - few.objects) / (MANY - FEW),
        callsPerMebibyte: (many.calls - few.calls) / (bytes / 1024 ** 2),
      };
      if (left === 1 || each.callsPerMebibyte < MOST_CALLS) return each;
    }
  }

  test.each([
    { compression: 'none', copies: 1.02 },
    // The compressed bytes move once, over the others.
    { compression: 'lz4', copies: 1.35 },
  ])('from a file, by the codec $compression', async ({ compression, copies }) => {
    const source = new AccessLog();
    const [few, more] = [Buffer.from(source.next(FEW)), Buffer.from(source.next(MANY - FEW))];
    const each = await costs(
      more.length,
      () => fileCounts(compression, few),
      () => fileCounts(compression, Buffer.concat([few, more])),
    );
    // Ten where nothing else runs.
    expect(each.callsPerMebibyte).toBeLessThan(MOST_CALLS);
    // One copy, from what was read into the batch.
    expect(each.copiesPerByte).toBeGreaterThan(0.9);
    expect(each.copiesPerByte).toBeLessThan(copies);
    expect(each.buffersPerByte).toBeLessThan(0.1);
    expect(each.objectBytesPerRecord).toBeLessThan(80);
  });

  test.each([
    // Into the message's buffer, into the window of the vectors and out of it, from the JSON into the batch, and the compressed bytes over the others.
    { source: 'fluentd', wire: 'forward', copies: 4.3, objects: 110 },
    // Objects are longer than the lines that they are made of.
    { source: 'syslog', wire: 'syslog', copies: 6.2, objects: 160 },
  ] as const)('from $source, by lz4', async ({ source, wire, copies, objects }) => {
    const [few, many] = [await linesFile(FEW), await linesFile(MANY)];
    const each = await costs(
      many.bytes - few.bytes,
      async () => streamCounts(source, await wireFile(wire, few)),
      async () => streamCounts(source, await wireFile(wire, many)),
    );
    expect(each.callsPerMebibyte).toBeLessThan(MOST_CALLS);
    expect(each.copiesPerByte).toBeGreaterThan(0.9);
    expect(each.copiesPerByte).toBeLessThan(copies);
    expect(each.buffersPerByte).toBeLessThan(0.25);
    expect(each.objectBytesPerRecord).toBeLessThan(objects);
  });
});

/** A connection, as soon as somebody listens. */
async function listening(port: number, exitCode: number | null): Promise<Socket> {
  const deadline = Date.now() + 60_000;
  while (exitCode === null && Date.now() < deadline) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return socket;
    } catch {
      await sleep(20);
    }
  }
  throw new Error(`nobody listens on port ${port}`);
}
