import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readOutputs } from '../../../scripts/prove/sinks/spark/outputs.ts';
import { FaultProxy } from '../../../src/testing/index.ts';
import { cleanUp, HubFolder, type HubProcess } from '../../cli/support/hub-folder.ts';
import { ownServer, serverSuite, type OwnServer } from '../../support/servers.ts';
import { pipelineStatus } from './support/status.ts';

const landed = join(import.meta.dirname, '..', '..', '..', 'pipelines', 'spark', 'landed.py');
const DEADLINE_MS = 300_000;
/** What would be options, shell or JSON if somebody took it for that. */
const HOSTILE = ['--conf spark.master=local', '$(touch pwned); `id`', '"}\n{"n":1', "' OR 1=1 --", '--batch-id=x'];

serverSuite('the sink for Spark, where a cluster has its troubles', [], () => {
  jest.setTimeout(DEADLINE_MS);
  let cluster: OwnServer<'spark'>;
  beforeAll(async () => {
    cluster = await ownServer('spark');
  }, 600_000);
  afterEach(cleanUp);
  afterAll(() => cluster.down());

  /** Records that are landed for jobs of the cluster. */
  async function hubFolder(
    options: string,
    { rest = cluster.where.rest, values = ['{"n":0}'] }: { rest?: string; values?: readonly string[] } = {},
  ): Promise<HubFolder> {
    const { ui, master, python_path: pythonPath } = cluster.where;
    const pipeline = `
name: faults
sources:
  - file: { include: ['*.txt'] }
    decode: text
topic: { name: faults, partitions: 1 }
sinks:
  - spark:
      standalone: { rest: ['${rest}'], ui: ['${ui}'], master: '${master}' }
      environment: { PYTHONPATH: ${pythonPath} }
      properties: { spark.driver.memory: 512m, spark.executor.memory: 512m, spark.cores.max: 1, spark.ui.enabled: false }
      land: { path: landing }
      range: { max_age: 1s }
      attempts: 1
      ${options}
`;
    const folder = await HubFolder.create({ 'faults.yaml': pipeline });
    await folder.write('in.txt', values.map((value) => `${value.replaceAll('\n', ' ')}\n`).join(''));
    return folder;
  }

  async function once(folder: HubFolder): Promise<number | null> {
    return folder.run('--once', '--timeout', '4m').exit();
  }

  /** Why the only batch was given up. */
  async function cause(folder: HubFolder): Promise<string> {
    const shown = folder.sluice('dlq', 'show', 'faults');
    await shown.exit();
    return shown.stdout;
  }

  test.each([
    [
      'a Python application that is not there',
      'application: { path: /nowhere/job.py }',
      /NoSuchFileException: \/nowhere\/job\.py|No such file or directory/,
    ],
    [
      'a jar that is not there',
      'application: { path: /nowhere/job.jar, class: com.acme.Etl }',
      /NoSuchFileException: \/nowhere\/job\.jar/,
    ],
    [
      'a driver that throws',
      `application: { path: ${landed}, arguments: ['--output', '/proc/nowhere'] }`,
      /java\.io\.\w*Exception: Mkdirs failed to create/,
    ],
    [
      'arguments that the job does not know',
      `application: { path: ${landed}, arguments: ['--output', 'x', '--nonsense'] }`,
      /landed\.py: error: unrecognized arguments: --nonsense/,
    ],
  ])('%s: its batch is given up with the reason, from where Spark keeps it', async (_, options, reason) => {
    const folder = await hubFolder(options);
    expect(await once(folder)).toBe(3);
    const letter = await cause(folder);
    expect(letter).toContain('JOB_FAILED');
    expect(letter).toMatch(reason);
  });

  test('a driver that hangs is ended at the deadline, and its batch given up', async () => {
    const folder = await hubFolder('application: { path: hang.py }\n      deadline: 15s');
    await folder.write('hang.py', 'import time\nprint("hanging", flush=True)\ntime.sleep(3600)\n');
    expect(await once(folder)).toBe(3);
    expect(await cause(folder)).toContain('it did not end within 15 s');
    const state = (await (await fetch(`${cluster.where.ui}/json/`)).json()) as {
      activedrivers: readonly object[];
      completeddrivers: readonly { readonly state: string }[];
    };
    expect(state.activedrivers).toEqual([]);
    expect(state.completeddrivers.some((driver) => driver.state === 'KILLED')).toBe(true);
  });

  test('a master that is restarted before its answer arrives: the batch is asked for again, and is there once, whatever its records hold', async () => {
    const output = await mkdtemp(join(tmpdir(), 'sluice-spark-'));
    const proxy = await FaultProxy.start(Number(new URL(cluster.where.rest).port));
    try {
      const application = `{ path: ${landed}, arguments: ['--output', '${output}', '--format', 'json', '--text'] }`;
      const rest = `http://${proxy.address}`;
      const folder = await hubFolder(`application: ${application}`, { rest, values: HOSTILE });
      const lost = proxy.loseReply({ request: (bytes) => bytes.includes('/v1/submissions/create') });
      const hub = folder.run();
      await Promise.race([lost, ended(hub)]);
      await cluster.kill('master');
      await cluster.startAgain('master');
      const isDone = async (): Promise<boolean> => (await pipelineStatus(folder))?.sinks[0]?.records === HOSTILE.length;
      await hub.until('the batch is done', isDone, DEADLINE_MS);
      expect(await hub.end('SIGTERM')).toBe(0);
      const outputs = await readOutputs(output);
      expect(outputs.batches).toHaveLength(1);
      expect(outputs.records.map(({ value }) => value)).toEqual(HOSTILE.map((value) => value.replaceAll('\n', ' ')));
    } finally {
      proxy.close();
      await rm(output, { recursive: true });
    }
  });

  async function ended(hub: HubProcess): Promise<never> {
    throw new Error(`the hub ended with ${await hub.exit()}: ${hub.output}`);
  }
});
