import type { HubFolder } from '../../../cli/support/hub-folder.ts';

interface PipelineStatus {
  readonly reason: string | null;
  readonly sinks: readonly { readonly lag: number; readonly records: number }[];
}

/** Of a hub's only pipeline, as its API tells; undefined before it answers. */
export async function pipelineStatus(folder: HubFolder): Promise<PipelineStatus | undefined> {
  const page = await folder.api('/status').catch(() => null);
  return page === null ? undefined : (JSON.parse(page.body) as { pipelines: readonly PipelineStatus[] }).pipelines[0];
}
