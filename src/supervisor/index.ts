/** Runs the pipelines of a hub in worker threads and starts again what is lost. */
export { logPlan } from './log-plan.ts';
export { hostPipelines, type OpenContext, type OpenedPipeline, type OpenPipeline } from './worker-host.ts';
export type { SupervisedState } from './state.ts';
export type { HubEnd, HubStatus, PipelineResult, SupervisedPipeline, Totals, WorkerStatus } from './status.ts';
export type { WorkerSetup } from './protocol.ts';
export { createSupervisor, type Supervisor, type SupervisorOptions } from './supervisor.ts';
