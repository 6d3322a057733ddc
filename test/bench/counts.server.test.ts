import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AccessLog } from '../../bench/lines.ts';
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
serverSuite('what a record costs on its way from a file into Kafka', ['kafka'], (where) => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-counts-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function countsOf(compression: string, lines: Buffer): Promise<Counts> {
    const home = await mkdtemp(join(folder, 'hub-'));
    const counts = await mkdtemp(join(folder, 'counts-'));
    const name = uniqueName('counts');
    await writeFile(join(home, 'in.log'), lines);
    await writeFile(
      join(home, 'sluice.yaml'),
      `kafka: { brokers: ['${where.kafka.brokers}'] }\napi: off\nbuffer_size: 8MiB\n`,
    );
    await writeFile(
      join(home, 'pipeline.yaml'),
      `name: ${name}\nsources: [{ file: { include: [in.log] } }]\ntopic: { name: ${name}, partitions: 4, compression: ${compression} }\n`,
    );
    const counter = join(import.meta.dirname, 'support', 'counter.ts');
    const hub = [join(root, 'src', 'cli', 'main.ts'), 'run', 'pipeline.yaml', '--once'];
    await run(process.execPath, ['-C', 'sluice-source', '--import', counter, ...hub], {
      cwd: home,
      env: { ...process.env, SLUICE_COUNTS: counts },
    });
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

  test.each([
    { compression: 'none', copies: 1.02 },
    // The compressed bytes move once, over the others.
    { compression: 'lz4', copies: 1.35 },
  ])('by the codec $compression', async ({ compression, copies }) => {
    const source = new AccessLog();
    const [few, more] = [Buffer.from(source.next(FEW)), Buffer.from(source.next(MANY - FEW))];
    const measured = async (): Promise<Costs> => {
      const before = await countsOf(compression, few);
      const after = await countsOf(compression, Buffer.concat([few, more]));
      return {
        copiesPerByte: (after.copied - before.copied) / more.length,
        buffersPerByte: (after.buffers - before.buffers) / more.length,
        objectBytesPerRecord: (after.objects - before.objects) / (MANY - FEW),
        callsPerMebibyte: (after.calls - before.calls) / (more.length / 1024 ** 2),
      };
    };
    let each = await measured();
    // Ten where nothing else runs. A broker that is slow for a moment has the socket take batches in small parts, which is not ours.
    for (let again = 0; again < 2 && each.callsPerMebibyte >= MOST_CALLS; again++) each = await measured();
    expect(each.callsPerMebibyte).toBeLessThan(MOST_CALLS);
    // One copy, from what was read into the batch.
    expect(each.copiesPerByte).toBeGreaterThan(0.9);
    expect(each.copiesPerByte).toBeLessThan(copies);
    expect(each.buffersPerByte).toBeLessThan(0.1);
    expect(each.objectBytesPerRecord).toBeLessThan(80);
  });
});
