import { dirname } from 'node:path';
import { describeError, SluiceError } from '../api/index.ts';
import { convertOptions, type HubPlan, type LegPlan, type PipelinePlan } from '../config/index.ts';
import type { Registry } from '../registry/index.ts';
import { createLogger, realClock } from '../telemetry/index.ts';

export interface ConnectionFault {
  readonly pipeline: string;
  readonly kind: 'source' | 'sink';
  readonly leg: string;
  readonly message: string;
}

/** A system that does not answer is out of reach, whatever its own time-outs are. */
const DEADLINE_MS = 10_000;

/** Asks every connector that can tell whether the outside would let it start. All at once. */
export async function checkConnections(
  plan: HubPlan,
  registry: Registry,
  env: NodeJS.ProcessEnv,
): Promise<readonly ConnectionFault[]> {
  const checks = plan.pipelines.flatMap((pipeline) => [
    ...pipeline.sources.map((leg) => ({ pipeline, kind: 'source' as const, leg })),
    ...pipeline.sinks.map((leg) => ({ pipeline, kind: 'sink' as const, leg })),
  ]);
  const faults = await Promise.all(
    checks.map(async ({ pipeline, kind, leg }): Promise<ConnectionFault | null> => {
      const message = await faultOf({ pipeline, kind, leg }, { plan, registry, env });
      return message === null ? null : { pipeline: pipeline.name, kind, leg: leg.name, message };
    }),
  );
  return faults.filter((fault) => fault !== null);
}

async function faultOf(
  { pipeline, kind, leg }: { pipeline: PipelinePlan; kind: 'source' | 'sink'; leg: LegPlan },
  { plan, registry, env }: { plan: HubPlan; registry: Registry; env: NodeJS.ProcessEnv },
): Promise<string | null> {
  const definition = await registry.find(kind, leg.connector);
  if (definition?.check === undefined) return null;
  const deadline = new AbortController();
  const timeout = new SluiceError('TIMEOUT', `checking ${leg.name}: no answer within ${DEADLINE_MS / 1000} s`);
  const late = realClock.sleep(DEADLINE_MS, deadline.signal).then(
    () => Promise.reject(timeout),
    () => undefined,
  );
  try {
    const context = { references: plan.references, env, baseDir: dirname(pipeline.file) };
    const options = convertOptions(definition, leg.options, context);
    const log = createLogger({ level: 'error', destination: { write: () => true }, pretty: false });
    const check = definition.check(options as never, {
      log,
      clock: realClock,
      outbound: plan.outbound,
      signal: deadline.signal,
    });
    await Promise.race([check, late]);
    return null;
  } catch (error) {
    return describeError(error);
  } finally {
    deadline.abort(timeout);
  }
}
