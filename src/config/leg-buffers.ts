import type { HubPlan, PipelinePlan } from './plan.ts';

/** Bytes of record buffers that each leg of a pipeline has: a worker's are shared by its pipelines, and theirs by their legs. */
export function legBufferBytes(
  hub: Pick<HubPlan, 'bufferBytes' | 'workers'> & { readonly pipelines: readonly Pick<PipelinePlan, 'isolation'>[] },
  { isolation, sources, sinks }: Pick<PipelinePlan, 'isolation' | 'sources' | 'sinks'>,
): number {
  const shared = hub.pipelines.filter((pipeline) => pipeline.isolation !== 'thread').length;
  const perWorker = isolation === 'thread' ? 1 : Math.max(1, Math.ceil(shared / hub.workers));
  return hub.bufferBytes / perWorker / Math.max(1, sources.length + sinks.length);
}
