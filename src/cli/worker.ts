/** The entry of worker threads: picks what pipelines are made of. */
import { openEmbeddedLog } from '../log/index.ts';
import { startPipeline } from '../pipeline/index.ts';
import { createRegistry } from '../registry/index.ts';
import { hostPipelines } from '../supervisor/index.ts';
import { realClock } from '../telemetry/index.ts';

const registry = createRegistry();

hostPipelines(async (plan, { setup, bufferBytes, log, metrics, onEvent }) => {
  const pipeline = plan.name;
  const topicLog = await openEmbeddedLog({
    state: setup.logState,
    pipeline,
    clock: realClock,
    log: log.child({ pipeline }),
    metrics: metrics.bind({ pipeline }),
  });
  const running = startPipeline({
    plan,
    hubId: setup.hubId,
    registry,
    references: setup.plan.references,
    env: process.env,
    topicLog,
    bufferBytes,
    clock: realClock,
    log,
    metrics,
    once: setup.once,
    onEvent,
  });
  return { running, close: () => topicLog.close() };
});
