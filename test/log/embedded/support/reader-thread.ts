/** A worker that reads a topic of another pipeline, and tells its thread of every chunk. */
import { parentPort, workerData } from 'node:worker_threads';
import { openEmbeddedLog, type EmbeddedLogState } from '../../../../src/log/index.ts';
import { createEntryLogger, realClock } from '../../../../src/telemetry/index.ts';
import { noMetrics } from '../../../../src/testing/sink-harness.ts';
import { LogReader } from '../../../../src/testing/topic-log-reader.ts';

const { state, pipeline, topic } = workerData as { state: EmbeddedLogState; pipeline: string; topic: string };
const log = await openEmbeddedLog({
  state,
  pipeline,
  clock: realClock,
  log: createEntryLogger({ level: 'error', clock: realClock, write: () => undefined }),
  metrics: noMetrics,
});
const reader = await LogReader.open(log, { sink: 'sink', topic });
parentPort!.postMessage({ type: 'ready' });
parentPort!.once(
  'message',
  () =>
    void log.close().then(() => {
      parentPort!.close();
    }),
);
try {
  for (;;) {
    const records = await reader.readChunk();
    await reader.subscription.commit(
      records.slice(-1).map(({ partition, offset }) => ({ partition, next: offset + 1 })),
    );
    parentPort!.postMessage({ type: 'records', records });
  }
} catch (error) {
  parentPort!.postMessage({ type: 'ended', code: (error as { code?: string }).code });
}
