import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import type { JobBatch, JobSink, JobSinkDefinition, Json } from '../../../../src/api/index.ts';
import { convertOptions } from '../../../../src/config/index.ts';
import { createRegistry } from '../../../../src/registry/index.ts';
import { createLogger, realClock } from '../../../../src/telemetry/index.ts';
import type { Servers } from '../../kafka/servers.ts';
import { openClient, produce } from '../../kafka/topics.ts';
import type { Proof, Result } from '../../proof.ts';
import { readOutputs } from './outputs.ts';
import { standalone } from './targets.ts';

const NAME = 'sinks-spark-twice';
const DRIVERS = 3;
const PATIENCE_MS = 300_000;

/** One batch, asked for by nobody who knows of the others: each driver succeeds, and the output is there once. */
export async function proveTwice({ folder, lines }: Proof, servers: Servers): Promise<Result> {
  const { brokers } = await servers.shared('kafka');
  const spark = await servers.shared('spark');
  const output = join(folder, 'published');
  const client = openClient(brokers);
  const options = parse(`      ${standalone({ spark, brokers, output })}`) as Json;
  const sink = await openSink(options);
  try {
    await client.createTopic({ name: NAME, partitions: 1, replicationFactor: 1 });
    await produce(
      client,
      NAME,
      0,
      Array.from({ length: lines }, (_, n) => `{"n":${n}}`),
    );
    const batch: JobBatch = {
      id: `${NAME}.spark.0123456789abcdef`,
      topic: NAME,
      incarnation: 'AAAAAAAA',
      ranges: [{ partition: 0, from: 0, to: lines }],
      offsets: lines,
      attempt: 1,
      folder: null,
    };
    const handles = await Promise.all(Array.from({ length: DRIVERS }, () => sink.submit(batch)));
    const ends = await Promise.all(handles.map((handle) => endOf(sink, handle, batch)));
    const { batches, records, leftovers } = await readOutputs(output);
    const distinct = new Set(records.map(({ offset }) => offset)).size;
    return {
      expected: lines,
      rows: records.length,
      lost: lines - distinct,
      duplicated: records.length - distinct,
      note: `${DRIVERS} drivers, ${batches.length} output`,
      problems: [
        ...ends.filter((end) => end !== 'succeeded').map((end) => `a driver ${end}`),
        ...leftovers.map((name) => `left behind: ${name}`),
      ],
      unjudged: [],
    };
  } finally {
    await sink.close();
    await client.deleteTopic(NAME);
    await client.close();
  }
}

async function endOf(sink: JobSink, handle: Json, batch: JobBatch): Promise<string> {
  for (const until = Date.now() + PATIENCE_MS; Date.now() < until;) {
    const state = await sink.look(handle, batch);
    if (state.state === 'failed') return `failed: ${state.error.message}`;
    if (state.state === 'succeeded' || state.state === 'unknown') return state.state;
    await sleep(500);
  }
  return 'did not end';
}

/** As a hub makes it, without a hub. */
async function openSink(given: Json): Promise<JobSink> {
  const definition = (await createRegistry().find('sink', 'spark')) as JobSinkDefinition;
  const context = { baseDir: '/', references: { env: [], file: [] }, env: {} };
  const options = convertOptions(definition, given, context);
  const ignore = (): void => undefined;
  return definition.create(options as never, {
    pipeline: NAME,
    name: 'spark',
    hubId: 'h1',
    group: NAME,
    log: createLogger({ level: 'error', destination: process.stderr, pretty: false }),
    metrics: { count: ignore, gauge: ignore },
    clock: realClock,
    outbound: { deny: [], allow: [] },
    signal: new AbortController().signal,
    waiting: ignore,
    report: ignore,
  });
}
