import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobSink } from '../../../src/api/index.ts';
import { definitions } from '../../../connectors/spark/index.ts';
import { CheckpointFollower } from '../../../connectors/spark/streaming/follower.ts';
import { FastClock } from '../../pipeline/support/clock.ts';
import { batch } from './support/sink.ts';

const STALLED_MS = 60_000;

let checkpoint: string;
let clock: FastClock;
let sink: JobSink;

beforeEach(async () => {
  checkpoint = await mkdtemp(join(tmpdir(), 'sluice-checkpoint-'));
  clock = new FastClock();
  sink = new CheckpointFollower({ checkpoint, stalled_after: STALLED_MS, poll_interval: 1000 }, clock);
});
afterEach(() => rm(checkpoint, { recursive: true }));

/** As Spark 4.1.1 writes them. */
async function commits(number: number, offsets: string, { isCommitted = true } = {}): Promise<void> {
  const metadata =
    '{"batchWatermarkMs":0,"batchTimestampMs":1795860000000,"conf":{"spark.sql.shuffle.partitions":"200"}}';
  for (const folder of ['offsets', 'commits']) await mkdir(join(checkpoint, folder), { recursive: true });
  await writeFile(join(checkpoint, 'offsets', String(number)), `v1\n${metadata}\n${offsets}`);
  await writeFile(join(checkpoint, 'offsets', `.${number}.crc`), 'crc');
  if (!isCommitted) return;
  const commit = join(checkpoint, 'commits', String(number));
  await writeFile(commit, 'v1\n{"nextBatchWatermarkMs":0}');
  await writeFile(join(checkpoint, 'commits', `.${number + 1}.0f2.tmp`), '');
  await utimes(commit, clock.now() / 1000, clock.now() / 1000);
}

const look = (): ReturnType<JobSink['look']> => sink.look({ checkpoint }, batch);

test('a query that has not begun says so', async () => {
  expect(await look()).toEqual({
    state: 'queued',
    reason: `the query has not begun: "${checkpoint}" has no commit`,
    passed: 0,
  });
});

test('what the last committed micro-batch has passed is done', async () => {
  await commits(9, '{"orders":{"0":120,"1":3}}');
  await commits(10, '{"orders":{"0":150,"1":7}}', { isCommitted: false });
  expect(await look()).toEqual({ state: 'running', passed: 20 });
  await commits(10, '{"orders":{"0":150,"1":7}}');
  expect(await look()).toEqual({ state: 'succeeded' });
  await commits(11, '{"orders":{"0":400,"1":9}}');
  expect(await look()).toEqual({ state: 'succeeded' });
});

test('a query that stands before the range has passed nothing of it, and of a new partition neither', async () => {
  await commits(0, '{"orders":{"0":12}}');
  expect(await look()).toEqual({ state: 'running', passed: 0 });
});

test('the topic is found among several sources', async () => {
  await commits(0, '-\n17\n{"other":{"0":1}}\n{"orders":{"0":150,"1":7}}');
  expect(await look()).toEqual({ state: 'succeeded' });
});

test('a query that commits nothing for long is told from one at work', async () => {
  await commits(3, '{"orders":{"0":120,"1":7}}');
  clock.skip(STALLED_MS + 1000);
  expect(await look()).toEqual({
    state: 'queued',
    reason: 'the query has committed nothing for 61 s: its last micro-batch is 3',
    passed: 20,
  });
});

test.each([
  ['a query of another topic', 'v1\n{}\n{"others":{"0":1}}', /does not read the topic "orders"$/],
  ['another version', 'v9\n{}\n{"orders":{"0":1}}', /of version "v9", not v1$/],
])('%s needs an operator', async (_, text, message) => {
  await commits(0, '');
  await writeFile(join(checkpoint, 'offsets', '0'), text);
  await expect(look()).rejects.toMatchObject({
    code: 'SINK_BLOCKED',
    message: expect.stringMatching(message) as string,
  });
});

test('a folder that cannot be read is tried again', async () => {
  await mkdir(join(checkpoint, 'commits', '5'), { recursive: true });
  await expect(look()).rejects.toMatchObject({ code: 'SINK_UNAVAILABLE', retryable: true });
});

test('nothing is started, and nothing ended', async () => {
  expect(await sink.find(batch)).toEqual({ checkpoint });
  expect(await sink.submit(batch)).toEqual({ checkpoint });
  await sink.end({ checkpoint }, batch);
  expect(await sink.output({ checkpoint }, batch)).toBe('');
});

test('before a start the folder has to be there', async () => {
  const definition = definitions.find(({ name }) => name === 'spark_streaming')!;
  const check = (folder: string): unknown => definition.check?.({ checkpoint: folder }, {} as never);
  await check(checkpoint);
  await expect(check(join(checkpoint, 'none'))).rejects.toMatchObject({ code: 'OPTION_INVALID' });
});
