import type { PipelinePlan } from '../config/index.ts';

/** Which pipelines share a worker: those with `isolation: thread` have one alone, the others are dealt out over `workers` in order. */
export function placePipelines(
  pipelines: readonly PipelinePlan[],
  workers: number,
): readonly (readonly PipelinePlan[])[] {
  const shared = pipelines.filter(({ isolation }) => isolation === 'shared');
  const alone = pipelines.filter(({ isolation }) => isolation === 'thread');
  const threads = Math.min(Math.max(1, workers), shared.length);
  const dealt = Array.from({ length: threads }, (_, thread) =>
    shared.filter((_plan, index) => index % threads === thread),
  );
  return [...dealt, ...alone.map((plan) => [plan])];
}
