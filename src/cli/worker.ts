/** The entry of worker threads: picks what pipelines are made of. */
import { startPipeline } from '../pipeline/index.ts';
import { createRegistry } from '../registry/index.ts';
import { hostPipelines } from '../supervisor/index.ts';
import { realClock } from '../telemetry/index.ts';
import { TopicLogs } from './topic-logs.ts';

const registry = createRegistry();
const logs = new TopicLogs(process.env);

hostPipelines(async (plan, context) => {
  const { setup, bufferBytes, log, metrics, onEvent } = context;
  const opened = await logs.open(plan, context);
  const running = startPipeline({
    plan,
    hubId: setup.hubId,
    group: setup.plan.group,
    registry,
    references: setup.plan.references,
    outbound: setup.plan.outbound,
    env: process.env,
    topicLog: opened.topicLog,
    bufferBytes,
    clock: realClock,
    log,
    metrics,
    once: setup.once,
    onEvent,
  });
  return { running, close: () => opened.close() };
});
