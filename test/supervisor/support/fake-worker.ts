/**
 * A worker whose pipelines do what their name says, so that every way of losing a worker can be had on demand. The file
 * `<dataDir>/<pipeline>.starts` counts starts.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SluiceError } from '../../../src/api/index.ts';
import type { PipelineEnd, PipelineStatus, RunningPipeline } from '../../../src/pipeline/index.ts';
import { hostPipelines, type OpenContext } from '../../../src/supervisor/worker-host.ts';

const hoard: unknown[] = [];

/** By the first word of the pipeline's name; begun by `resume`. */
const troubles: Readonly<Record<string, () => unknown>> = {
  throws: () =>
    setImmediate(() => {
      throw new Error('a connector threw');
    }),
  nothing: () =>
    setImmediate(() => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- connectors may
      throw null;
    }),
  rejects: () => void Promise.reject(new Error('nobody caught this')),
  exits: () => process.exit(3),
  hangs: () => {
    for (;;);
  },
  buffers: () => setInterval(() => hoard.push(Buffer.alloc(4 * 1024 * 1024, 1)), 5),
  heap: () => {
    for (;;) hoard.push({ text: `${hoard.length}`, more: [hoard.length] });
  },
};

/** By the first word of the pipeline's name; thrown at the first start. */
const refusals: Readonly<Record<string, Error>> = {
  corrupt: new SluiceError('LOG_CORRUPT', 'opening the log: damaged'),
  busy: new Error('opening the log: EMFILE'),
};

/** A topic log that cannot be reached until the file `<dataDir>/reachable` is there. */
async function firstWait({ setup, onWait, signal }: OpenContext): Promise<void> {
  onWait('broker 127.0.0.1:9 refuses connections');
  await new Promise<void>((resolve, reject) => {
    const look = setInterval(() => {
      if (existsSync(join(setup.plan.dataDir, 'reachable'))) done(resolve);
      else if (signal.aborted)
        done(() => {
          reject(new SluiceError('LOG_CLOSED', 'opening the log: stopped'));
        });
    }, 5);
    const done = (settle: () => void): void => {
      clearInterval(look);
      settle();
    };
  });
  onWait(null);
}

hostPipelines(async (plan, context) => {
  const startsFile = join(context.setup.plan.dataDir, `${plan.name}.starts`);
  appendFileSync(startsFile, '.');
  const isFirst = readFileSync(startsFile, 'utf8').length === 1;
  const [word = ''] = plan.name.split('-');
  const finished = Promise.withResolvers<PipelineEnd>();
  const startedAt = Date.now();
  const totals = { recordsIn: 7, delivered: 14, dropped: 0, deadLettered: 1, inFlight: 0 };
  const end = (outcome: PipelineEnd['outcome']): void => {
    finished.resolve({ outcome, reason: outcome === 'failed' ? 'the disk is gone' : null, ...totals });
  };
  if (word === 'prints') process.stdout.write(`printed by ${plan.name}\n`);
  if (isFirst && refusals[word] !== undefined) throw refusals[word];
  if (word === 'waits') await firstWait(context);
  context.log.info(
    { pipeline: plan.name, bufferBytes: context.bufferBytes, log: context.setup.log.kind },
    'pipeline opened',
  );
  if (context.setup.once) setTimeout(end, 50, word === 'loses' ? 'failed' : 'drained');
  const status = (): PipelineStatus => ({
    name: plan.name,
    state: 'running',
    reason: null,
    topic: plan.topic.name,
    sources: [],
    sinks: [],
    deadLetters: Math.floor((Date.now() - startedAt) / 100) > 0 ? 1 : 0,
  });
  const running: RunningPipeline = {
    status,
    resume: () => {
      if (word === 'loses') end('failed');
      else if (word === 'waits') context.onWait('brokers are away');
      else troubles[word]?.();
    },
    stop: async ({ deadlineMs }) => {
      if (word === 'stubborn') return new Promise(() => undefined);
      if (word === 'slow') await new Promise((resolve) => setTimeout(resolve, Math.min(200, deadlineMs)));
      end('stopped');
      return { drained: true, elapsedMs: 0, ...totals };
    },
    finished: finished.promise,
  };
  return { running, close: () => Promise.resolve() };
});
