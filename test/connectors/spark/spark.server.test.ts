import { execFile } from 'node:child_process';
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readLines, readOutputs, type Outputs } from '../../../scripts/prove/sinks/spark/outputs.ts';
import { javaEnvironment } from '../../../scripts/prove/sinks/spark/targets.ts';
import { cleanUp, HubFolder } from '../../cli/support/hub-folder.ts';
import { serverSuite, uniqueName } from '../../support/servers.ts';
import { pipelineStatus } from './support/status.ts';

const run = promisify(execFile);
const examples = join(import.meta.dirname, '..', '..', '..', 'pipelines');
const COUNT = 5000;
/** Starting a driver and its executor takes most of it. */
const DEADLINE_MS = 180_000;

serverSuite('the examples for Spark, on a real cluster', ['kafka', 'spark'], (where) => {
  jest.setTimeout(DEADLINE_MS);
  afterEach(cleanUp);

  const all = Array.from({ length: COUNT }, (_, n) => n);

  /** A folder with the examples, of which this one has the addresses of here. */
  async function exampleFolder(
    name: string,
    { hubFile = '', replacements }: { hubFile?: string; replacements: Readonly<Record<string, string>> },
  ): Promise<HubFolder> {
    const folder = await HubFolder.create({}, hubFile);
    await cp(examples, join(folder.path, 'pipelines'), { recursive: true });
    let text = await readFile(join(examples, name), 'utf8');
    for (const [placeholder, value] of Object.entries(replacements)) {
      expect(text).toContain(placeholder);
      text = text.replaceAll(placeholder, value);
    }
    await folder.write(`pipelines/${name}`, text.replaceAll(/\/tmp\/sluice-spark[\w-]*/g, folder.path));
    Object.assign(folder.env, javaEnvironment);
    return folder;
  }

  async function delivered(folder: HubFolder, name: string): Promise<void> {
    const hub = folder.run('--once', `pipelines/${name}`);
    expect({ code: await hub.exit(), output: hub.output }).toMatchObject({ code: 0 });
  }

  function numbers(records: Outputs['records']): number[] {
    return records.map(({ value }) => (JSON.parse(value!) as { n: number }).n).sort((one, other) => one - other);
  }

  /** One batch of all: how batches are closed is tested without a cluster. */
  const oneBatch = { 'max_records: 2500': `max_records: ${COUNT}` };

  test('a range of offsets by a driver in the cluster, asked for through REST: each record once', async () => {
    const topic = uniqueName('spark');
    const { brokers } = where.kafka;
    const folder = await exampleFolder('spark.yaml', {
      hubFile: `kafka: { brokers: ['${brokers}'] }\ngroup: ${topic}`,
      replacements: {
        ...oneBatch,
        'name: spark\n': `name: ${topic}\n`,
        'name: spark,': `name: ${topic},`,
        'http://127.0.0.1:6066': where.spark.rest,
        'http://127.0.0.1:8080': where.spark.ui,
        'spark://127.0.0.1:7077': where.spark.master,
        '127.0.0.1:9092': brokers,
        '/opt/spark/python': where.spark.python_path,
        '/opt/spark/jars/spark-sql-kafka.jar': where.spark.kafka_jars,
      },
    });
    await delivered(folder, 'spark.yaml');
    const outputs = await readOutputs(folder.path);
    expect(outputs).toMatchObject({ batches: [expect.stringContaining(`${topic}.spark.`)], leftovers: [] });
    expect(numbers(outputs.records)).toEqual(all);
    expect(new Set(outputs.records.map((record) => record.topic))).toEqual(new Set([topic]));
  });

  test('landed files by spark-submit, without Kafka: each record once', async () => {
    const replacements = { ...oneBatch, '/opt/spark/bin/spark-submit': where.spark.submit };
    const folder = await exampleFolder('spark-landed.yaml', { replacements });
    await delivered(folder, 'spark-landed.yaml');
    const outputs = await readOutputs(folder.path);
    expect(outputs).toMatchObject({ batches: [expect.stringContaining('spark-landed.spark.')], leftovers: [] });
    expect(numbers(outputs.records)).toEqual(all);
  });

  test('a query of Structured Streaming: its checkpoint says what is behind, and is saved as offsets', async () => {
    const topic = uniqueName('streaming');
    const { brokers } = where.kafka;
    const folder = await exampleFolder('spark-streaming.yaml', {
      hubFile: `kafka: { brokers: ['${brokers}'] }\ngroup: ${topic}`,
      replacements: { 'name: spark-streaming\n': `name: ${topic}\n`, 'name: spark-streaming,': `name: ${topic},` },
    });
    const hub = folder.run('pipelines/spark-streaming.yaml');
    const lag = async (): Promise<number | undefined> => (await pipelineStatus(folder))?.sinks[0]?.lag;
    await hub.until('all is behind, for want of a query', async () => (await lag()) === COUNT, 60_000);
    expect((await pipelineStatus(folder))?.reason).toContain('the query has not begun');
    const output = join(folder.path, 'out');
    const query = [
      ...['--brokers', brokers, '--topic', topic, '--output', output, '--format', 'json', '--once'],
      ...['--checkpoint', join(folder.path, 'checkpoint')],
    ];
    const own = ['--master', 'local[2]', '--conf', 'spark.ui.enabled=false', '--jars', where.spark.kafka_jars];
    const job = join(examples, 'spark', 'streaming.py');
    await run(where.spark.submit, [...own, job, ...query], { env: { ...process.env, ...javaEnvironment } });
    await hub.until('nothing is behind', async () => (await lag()) === 0, 60_000);
    expect(await hub.end('SIGTERM')).toBe(0);
    const { sinks } = JSON.parse(await offsets(folder)) as { sinks: readonly { next: number }[] };
    expect(sinks.reduce((sum, { next }) => sum + next, 0)).toBe(COUNT);
    const values = (await readLines(output)).map(({ value }) => Buffer.from(value!, 'base64').toString());
    expect(values.map((value) => (JSON.parse(value) as { n: number }).n).sort((one, other) => one - other)).toEqual(
      all,
    );
  });

  async function offsets(folder: HubFolder): Promise<string> {
    const command = folder.sluice('offsets', 'get', '--json');
    expect({ code: await command.exit(), output: command.output }).toMatchObject({ code: 0 });
    return command.stdout;
  }
});
