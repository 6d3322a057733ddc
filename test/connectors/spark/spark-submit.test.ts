import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobHandle, JobSink, JobState, Json } from '../../../src/api/index.ts';
import { childEnvironment } from '../../../connectors/spark/submit/command-line.ts';
import { endCommand, outcomeOf } from '../../../connectors/spark/submit/outcome.ts';
import type { SubmitOptions } from '../../../connectors/spark/options.ts';
import { realClock } from '../../../src/telemetry/index.ts';
import { batch, sinkWith } from './support/sink.ts';

let folder: string;
const sinks: JobSink[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spark-submit-'));
});
afterEach(async () => {
  for (const sink of sinks.splice(0)) await sink.close();
  await rm(folder, { recursive: true });
});

/** A spark-submit that does what the script says. */
async function scripted(script: string, more: Record<string, Json> = {}): Promise<JobSink> {
  const command = join(folder, 'spark-submit');
  await writeFile(command, `#!/bin/bash\ncd "${folder}"\n${script}\n`);
  await chmod(command, 0o755);
  const sink = await sinkWith({
    spark_submit: { command, master: 'local[2]', stop_timeout: '300ms', ...more },
    application: { path: 'jobs/range.py', arguments: ['two words', '$(touch pwned)'] },
    properties: { 'spark.app.greeting': '; touch pwned' },
  });
  sinks.push(sink);
  return sink;
}

async function ended(sink: JobSink, handle: JobHandle): Promise<JobState> {
  for (;;) {
    const state = await sink.look(handle, batch);
    if (state.state !== 'running') return state;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function appears(file: string): Promise<string> {
  for (;;) {
    const text = await readFile(join(folder, file), 'utf8').catch(() => '');
    if (text.endsWith('\n')) return text.trim();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const isAlive = (pid: string): Promise<boolean> =>
  readFile(`/proc/${pid}/stat`, 'utf8').then(
    (stat) => !stat.includes(') Z '),
    () => false,
  );

test('its arguments are arguments, whatever is in them', async () => {
  const sink = await scripted('printf "%s\\n" "$@" > args; echo > done');
  expect(await ended(sink, await sink.submit(batch))).toEqual({ state: 'succeeded' });
  expect((await readFile(join(folder, 'args'), 'utf8')).trimEnd().split('\n')).toEqual([
    '--master',
    'local[2]',
    '--deploy-mode',
    'client',
    '--name',
    batch.id,
    '--conf',
    'spark.app.greeting=; touch pwned',
    '/pipelines/jobs/range.py',
    'two words',
    '$(touch pwned)',
    '--batch-id',
    batch.id,
    '--topic',
    'orders',
    '--starting-offsets',
    '{"orders":{"0":100,"1":7}}',
    '--ending-offsets',
    '{"orders":{"0":150,"1":7}}',
  ]);
  await expect(readFile(join(folder, 'pwned'))).rejects.toThrow('ENOENT');
});

test.each([
  [
    'echo "Traceback (most recent call last):"; echo "ValueError: boom"; exit 1',
    'running spark-submit: ValueError: boom',
  ],
  ['exit 7', 'running spark-submit: exit code 7'],
  ['kill -9 $$', 'running spark-submit: exit code 137'],
])('%s', async (script, message) => {
  const sink = await scripted(script);
  expect(await ended(sink, await sink.submit(batch))).toMatchObject({
    state: 'failed',
    error: { code: 'JOB_FAILED', message },
  });
});

test('a program that is not there needs an operator', async () => {
  const sink = await sinkWith({
    spark_submit: { command: '/nowhere/spark-submit', master: 'yarn' },
    application: { path: 'x.py' },
  });
  await expect(sink.submit(batch)).rejects.toMatchObject({ code: 'SINK_BLOCKED', retryable: false });
});

test('of what it writes the end is kept', async () => {
  const sink = await scripted('head -c 3000000 /dev/zero | tr "\\0" x; echo; echo last');
  const handle = await sink.submit(batch);
  await ended(sink, handle);
  const output = await sink.output(handle, batch);
  expect(output.length).toBeLessThan(70_000);
  expect(output).toContain('last');
});

test('ending it ends its children, those that do not listen too', async () => {
  const sink = await scripted('(trap "" TERM; echo $BASHPID > stubborn; sleep 60 & wait; sleep 60) & sleep 60');
  const handle = await sink.submit(batch);
  const stubborn = await appears('stubborn');
  expect(await isAlive(stubborn)).toBe(true);
  await sink.end(handle, batch);
  for (let tries = 0; tries < 500 && (await isAlive(stubborn)); tries++) await realClock.sleep(10);
  expect(await isAlive(stubborn)).toBe(false);
  expect(await ended(sink, handle)).toMatchObject({ state: 'failed' });
});

test('closing the sink ends its driver', async () => {
  const sink = await scripted('echo $$ > pid; sleep 60');
  await sink.submit(batch);
  const pid = await appears('pid');
  await sink.close();
  expect(await isAlive(pid)).toBe(false);
});

test('what another life left behind is found and waited for, or ended', async () => {
  const first = await scripted('echo $$ > pid; while ! [ -e go ]; do sleep 0.02; done; exec sleep 60');
  const handle = await first.submit(batch);
  const pid = await appears('pid');
  // Another life of the hub: none of its children.
  const second = await scripted('exit 0');
  const found = await second.find(batch);
  expect(found).toEqual(handle);
  expect(await second.look(found, batch)).toEqual({ state: 'running' });
  expect(await second.find({ ...batch, id: 'another' })).toBeNull();
  await second.end(found, batch);
  expect(await isAlive(pid)).toBe(false);
  expect(await second.look(found, batch)).toEqual({ state: 'unknown' });
});

test('a number that is another process by now is not its own', async () => {
  const sink = await scripted('exit 0');
  expect(await sink.look({ pid: process.pid, started: '1' }, batch)).toEqual({ state: 'unknown' });
  await sink.end({ pid: process.pid, started: '1' }, batch);
});

test('the environment is what a driver needs, and what was given', () => {
  const hub = { PATH: '/bin', SPARK_HOME: '/spark', SLUICE_KAFKA_PASSWORD: 'secret', AWS_SECRET: 'x', LC_ALL: 'C' };
  expect(childEnvironment({ A: 'b', PATH: '/own' }, hub)).toEqual({
    PATH: '/own',
    SPARK_HOME: '/spark',
    LC_ALL: 'C',
    A: 'b',
  });
});

describe('clusters', () => {
  const kubernetes = {
    command: 's',
    master: 'k8s://https://k',
    deploy_mode: 'cluster',
    stop_timeout: 0,
  } as SubmitOptions;
  const yarn = { ...kubernetes, master: 'yarn', yarn_command: '/yarn' } as SubmitOptions;
  const pod = (phase: string): string =>
    `26/11/28 INFO LoggingPodStatusWatcherImpl: State changed\n\t phase: Pending\nApplication status for spark-1 (phase: ${phase})\n`;

  test.each([
    ['Succeeded', { state: 'succeeded' }],
    [
      'Failed',
      {
        state: 'failed',
        error: expect.objectContaining({ message: 'running spark-submit: its pod failed' }) as object,
      },
    ],
    ['Running', { state: 'unknown' }],
  ])('a pod whose last phase is %s, whatever the exit code says', (phase, expected) => {
    expect(outcomeOf(kubernetes, { exit: 0, stdout: '', stderr: pod(phase) })).toEqual(expected);
  });

  test('YARN fails with the application', () => {
    expect(outcomeOf(yarn, { exit: 0, stdout: '', stderr: '' })).toEqual({ state: 'succeeded' });
    const stderr =
      'Exception in thread "main" org.apache.spark.SparkException: Application application_1_0002 finished with failed status\n';
    expect(outcomeOf(yarn, { exit: 1, stdout: '', stderr })).toMatchObject({ state: 'failed' });
  });

  test('what runs in the cluster is ended there', () => {
    expect(endCommand(yarn, { stdout: '', stderr: 'INFO Client: Submitted application application_1_0002\n' })).toEqual(
      {
        command: '/yarn',
        args: ['application', '-kill', 'application_1_0002'],
      },
    );
    const stderr =
      'INFO LoggingPodStatusWatcherImpl: Deployed Spark application x with application ID y and submission ID spark:etl-driver into Kubernetes\n';
    expect(endCommand(kubernetes, { stdout: '', stderr })).toEqual({
      command: 's',
      args: ['--kill', 'spark:etl-driver', '--master', 'k8s://https://k'],
    });
    expect(endCommand(yarn, { stdout: '', stderr: '' })).toBeNull();
    expect(endCommand({ ...yarn, deploy_mode: 'client' }, { stdout: '', stderr: 'application_1_0002' })).toBeNull();
  });
});
