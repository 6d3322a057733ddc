import type { Json } from '../../../src/api/index.ts';
import { FastClock } from '../../pipeline/support/clock.ts';
import { batch, sinkWith } from './support/sink.ts';
import { SparkMasterDouble, type Creation } from './support/spark-master-double.ts';

let master: SparkMasterDouble;

// Loading it takes its time on a busy machine, and is no part of a test.
beforeAll(() => import('undici'), 60_000);
beforeEach(async () => {
  master = await SparkMasterDouble.start();
});
afterEach(() => master.stop());

const options = (more: Record<string, Json> = {}, target: Record<string, Json> = {}): Json => ({
  standalone: { rest: [master.url], ui: [master.url], master: 'spark://m:7077', ...target },
  application: { path: 'jobs/range.py', arguments: ['--brokers', 'kafka:9092'] },
  ...more,
});

const sink = (more?: Record<string, Json>, target?: Record<string, Json>): ReturnType<typeof sinkWith> =>
  sinkWith(options(more, target));

test('Python is submitted by its runner, with the ranges as Spark takes them', async () => {
  const spark = await sink({ properties: { 'spark.cores.max': 2 }, environment: { PYTHONPATH: '/opt/spark' } });
  expect(await spark.submit({ ...batch, folder: '/landing/b' })).toEqual({ driver: 'driver-20261128000000-0000' });
  expect(master.drivers[0]!.request).toEqual({
    action: 'CreateSubmissionRequest',
    clientSparkVersion: '4.1.1',
    appResource: 'file:/pipelines/jobs/range.py',
    mainClass: 'org.apache.spark.deploy.PythonRunner',
    appArgs: [
      '/pipelines/jobs/range.py',
      '',
      '--brokers',
      'kafka:9092',
      '--batch-id',
      'orders.spark.0123456789abcdef',
      '--topic',
      'orders',
      '--starting-offsets',
      '{"orders":{"0":100,"1":7}}',
      '--ending-offsets',
      '{"orders":{"0":150,"1":7}}',
      '--input',
      '/landing/b',
    ],
    environmentVariables: { PYTHONPATH: '/opt/spark' },
    sparkProperties: {
      'spark.cores.max': '2',
      'spark.app.name': 'orders.spark.0123456789abcdef',
      'spark.master': 'spark://m:7077',
      'spark.submit.deployMode': 'cluster',
      'spark.driver.supervise': 'false',
    },
  });
  await spark.close();
});

test('a jar is submitted with its class, and is among the jars', async () => {
  const spark = await sink({ application: { url: 'hdfs://nn/etl.jar', class: 'com.acme.Etl', jars: ['/x.jar'] } });
  await spark.submit(batch);
  expect(master.drivers[0]!.request).toMatchObject({
    appResource: 'hdfs://nn/etl.jar',
    mainClass: 'com.acme.Etl',
    sparkProperties: { 'spark.jars': 'hdfs://nn/etl.jar,/x.jar' },
  });
  expect(master.drivers[0]!.request.appArgs[0]).toBe('--batch-id');
  await spark.close();
});

test.each<[Creation, string, boolean, RegExp]>([
  ['lose', 'SINK_UNAVAILABLE', true, /closed before the answer/],
  ['text', 'SINK_UNAVAILABLE', true, /not what it should be/],
  ['no_id', 'SINK_BLOCKED', false, /refuses it/],
  ['refuse', 'SINK_BLOCKED', false, /HTTP 400: Malformed request: no mainClass$/],
  ['stand_by', 'SINK_UNAVAILABLE', true, /stands by/],
  ['error', 'SINK_UNAVAILABLE', true, /HTTP 500/],
  ['forbid', 'SINK_BLOCKED', false, /HTTP 403; check `auth`/],
  ['redirect', 'SINK_BLOCKED', false, /redirects are not followed/],
])('a creation that comes to %s is %s', async (creation, code, retryable, message) => {
  master.creations = [creation];
  const spark = await sink();
  await expect(spark.submit(batch)).rejects.toMatchObject({
    code,
    retryable,
    message: expect.stringMatching(message) as string,
  });
  await spark.close();
});

test('a master that hangs is given up', async () => {
  master.creations = ['hang'];
  const spark = await sink({}, { timeout: '1s' });
  await expect(spark.submit(batch)).rejects.toMatchObject({ code: 'SINK_UNAVAILABLE', retryable: true });
  await spark.close();
});

test('the next request goes to the next master', async () => {
  const other = await SparkMasterDouble.start();
  master.creations = ['stand_by'];
  const spark = await sink({}, { rest: [master.url, other.url] });
  await expect(spark.submit(batch)).rejects.toThrow('stands by');
  await spark.submit(batch);
  expect([master.drivers.length, other.drivers.length]).toEqual([0, 1]);
  await spark.close();
  await other.stop();
});

test.each([
  ['SUBMITTED', { state: 'queued', reason: null }],
  ['RUNNING', { state: 'running' }],
  ['RELAUNCHING', { state: 'running' }],
  ['UNKNOWN', { state: 'running' }],
  ['FINISHED', { state: 'succeeded' }],
])('a driver that is %s', async (state, expected) => {
  const spark = await sink();
  const handle = await spark.submit(batch);
  master.drivers[0]!.state = state;
  expect(await spark.look(handle, batch)).toEqual(expected);
  await spark.close();
});

test('a driver that waits for a minute says for what', async () => {
  const clock = new FastClock();
  const spark = await sinkWith(options(), clock);
  const handle = await spark.submit(batch);
  master.drivers[0]!.state = 'SUBMITTED';
  await spark.look(handle, batch);
  clock.skip(60_000);
  expect(await spark.look(handle, batch)).toMatchObject({ reason: expect.stringContaining('no worker has') as string });
  await spark.close();
});

test('FAILED has its reason from what the driver wrote, ERROR from the master', async () => {
  const spark = await sink();
  const handle = await spark.submit(batch);
  const [driver] = master.drivers;
  driver!.state = 'FAILED';
  master.stdout = 'Traceback (most recent call last):\n  File "/r.py", line 3, in <module>\nValueError: boom\n';
  const why = async (): Promise<unknown> => spark.look(handle, batch);
  expect(await why()).toMatchObject({
    state: 'failed',
    error: { code: 'JOB_FAILED', message: expect.stringMatching(/: ValueError: boom$/) as string },
  });
  expect(await spark.output(handle, batch)).toContain('ValueError');
  driver!.state = 'ERROR';
  driver!.message = 'Exception from the cluster:\njava.nio.file.NoSuchFileException: /x.jar\n\tat sun.nio…';
  expect(await why()).toMatchObject({
    error: { message: expect.stringMatching(/: java.nio.file.NoSuchFileException: \/x.jar$/) as string },
  });
  await spark.close();
});

test('a driver that nobody knows is unknown, and none to end', async () => {
  const spark = await sink();
  expect(await spark.look({ driver: 'driver-1' }, batch)).toEqual({ state: 'unknown' });
  await spark.end({ driver: 'driver-1' }, batch);
  // Submitted elsewhere, before the options were changed.
  expect(await spark.look({ batch: 7 }, batch)).toEqual({ state: 'unknown' });
  await spark.close();
});

test('a driver is ended', async () => {
  const spark = await sink();
  const handle = await spark.submit(batch);
  await spark.end(handle, batch);
  expect(await spark.look(handle, batch)).toMatchObject({
    state: 'failed',
    error: { message: expect.stringContaining('ended it') as string },
  });
  await spark.close();
});

test('a job whose answer was lost is found by its name, and waited for', async () => {
  master.creations = ['lose'];
  const spark = await sink();
  await expect(spark.submit(batch)).rejects.toThrow();
  expect(await spark.find(batch)).toBeNull();
  master.applications.push({ id: 'app-1', name: batch.id });
  expect(await spark.find(batch)).toEqual({ application: 'app-1' });
  expect(await spark.look({ application: 'app-1' }, batch)).toEqual({ state: 'running' });
  await spark.end({ application: 'app-1' }, batch);
  expect(await spark.look({ application: 'app-1' }, batch)).toEqual({ state: 'unknown' });
  await spark.close();
});

test('credentials and headers go along', async () => {
  const spark = await sink({}, { auth: { bearer: 'token-1' }, headers: { 'x-team': 'blue' } });
  await spark.submit(batch);
  expect(master.requests[0]!.headers).toMatchObject({ authorization: 'Bearer token-1', 'x-team': 'blue' });
  await spark.close();
});
