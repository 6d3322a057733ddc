import { SparkMasterDouble } from '../connectors/spark/support/spark-master-double.ts';
import { cleanUp, HubFolder, type HubProcess } from './support/hub-folder.ts';
import { runHere, type CommandResult } from './support/run-here.ts';

jest.setTimeout(120_000);
/** A busy machine takes its time to start a hub. */
const PATIENCE_MS = 60_000;

let master: SparkMasterDouble;
let folder: HubFolder;

const pipeline = (url: string): string => `
name: orders
sources:
  - generate: { count: 30 }
topic: { name: orders, partitions: 2 }
sinks:
  - spark:
      standalone: { rest: ['${url}'], ui: ['${url}'], master: 'spark://m:7077' }
      application: { path: job.py }
      range: { max_records: 30 }
      land: { path: landing }
      attempts: 2
      poll_interval: 100ms
    retry: { min: 10ms, max: 20ms }
  - file: { path: out }
`;

beforeEach(async () => {
  master = await SparkMasterDouble.start();
  folder = await HubFolder.create({ 'orders.yaml': pipeline(master.url) });
});
afterEach(async () => {
  await cleanUp();
  await master.stop();
});

const spark = (...args: string[]): Promise<CommandResult> => runHere(folder.path, ['spark', ...args]);

interface Job {
  readonly state: string;
  readonly reason: string | null;
  readonly batch: {
    readonly id: string;
    readonly offsets: number;
    readonly attempt: number;
    readonly job: object;
  } | null;
}

async function job(): Promise<Job> {
  const { stdout } = await spark('list', '--json');
  const { jobs } = JSON.parse(stdout) as { jobs: readonly Job[] };
  expect(jobs).toHaveLength(1);
  return jobs[0]!;
}

async function started(): Promise<HubProcess> {
  const hub = folder.run();
  // Before its data folder is there, the command says so.
  await hub.until('its driver is known', async () => (await job().catch(() => null))?.state === 'running', PATIENCE_MS);
  return hub;
}

test('a batch under way is listed, shown with what its job wrote, and ended: its hub tries it again', async () => {
  const hub = await started();
  const id = expect.stringMatching(/^orders\.spark\.[0-9a-f]{16}$/) as string;
  expect(await job()).toMatchObject({
    pipeline: 'orders',
    sink: 'spark',
    state: 'running',
    reason: null,
    batch: { id, topic: 'orders', offsets: 30, attempt: 1, attempts: 2, job: { driver: master.drivers[0]!.id } },
  });
  const { stdout: list } = await spark('list');
  expect(list).toMatch(/^sink +state +batch .*\norders\/spark +running +orders\.spark\.\w+ +30 +1 of 2 +\S+ +driver-/);
  expect(list).toContain('1 batch under way. More of one: sluice spark show orders/spark\n');
  master.stdout = 'first\nsecond \u001b[31m\n';
  const { stdout: shown } = await spark('show', 'orders/spark', '--lines', '1');
  expect(shown).toMatch(/offsets +30 offsets of orders; \d: 0 to 29\n/);
  expect(shown).toContain('  it wrote\n    second \\u{1b}[31m\n');
  expect(shown).not.toContain('first');
  const killed = await spark('kill', 'orders/spark');
  expect(killed).toMatchObject({ code: 0, stdout: expect.stringContaining('tries the batch again') as string });
  expect(master.drivers[0]!.state).toBe('KILLED');
  await hub.until(
    'it is tried again',
    async () => (await job()).batch?.attempt === 2 && master.drivers.length === 2,
    PATIENCE_MS,
  );
  await hub.until('the second is known', async () => (await job()).state === 'running', PATIENCE_MS);
  expect(await job()).toMatchObject({ reason: expect.stringContaining('somebody ended it') as string });
  master.drivers[1]!.state = 'FINISHED';
  await hub.until('it is done', async () => (await job()).state === 'idle', PATIENCE_MS);
  expect((await spark('show', 'orders')).stdout).toBe('orders/spark   idle: no batch is under way\n');
  expect(await spark('kill', 'orders/spark')).toMatchObject({
    code: 1,
    stderr: 'sluice: orders/spark has no job to end\n',
  });
  expect(await hub.end('SIGTERM')).toBe(0);
});

test('beside a hub that is stopped the job goes on, and nothing is in flight', async () => {
  const hub = await started();
  expect(await hub.end('SIGTERM')).toBe(0);
  expect(hub.output).toContain('0 records in flight');
  expect(await job()).toMatchObject({ state: 'running', batch: { attempt: 1 } });
  master.drivers.length = 0;
  expect(await job()).toMatchObject({ state: 'unknown' });
  await master.stop();
  expect(await job()).toMatchObject({ state: 'unreachable', reason: expect.stringContaining('127.0.0.1') as string });
});

test('sinks that are none of Spark are none of its business', async () => {
  await (await started()).end('SIGTERM');
  for (const leg of ['orders/file', 'nobody', 'orders/none'])
    expect(await spark('list', leg)).toMatchObject({
      code: 1,
      stderr: `sluice: there is no sink \`spark\` in ${leg}\n`,
    });
  expect(await spark('kill', 'orders')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('PIPELINE/SINK') as string,
  });
});
