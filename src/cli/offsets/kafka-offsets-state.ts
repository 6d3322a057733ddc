import type { PipelinePlan } from '../../config/index.ts';
import { changeKafkaState, readHubId, type DataFolder, type SavedChanges } from '../../log/index.ts';
import { realClock } from '../../telemetry/index.ts';
import { CommandKafka, type KafkaHub } from '../command-kafka.ts';
import { readState } from '../kafka-state.ts';
import type { OffsetsState } from './offsets-state.ts';

interface OpenOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly execute: boolean;
  /** Takes the data folder: of the hub on this host nothing runs then. */
  readonly folder: () => Promise<DataFolder>;
}

/** State in the cluster of a hub. What this host's hub alone has is changed with its folder taken; the rest as long as no consumer group has members. */
export async function openKafkaState(plan: KafkaHub, { env, execute, folder }: OpenOptions): Promise<OffsetsState> {
  const kafka = new CommandKafka(plan, env);
  const held = execute && plan.pipelines.some(hasHostSource) ? await folder() : null;
  const close = async (): Promise<void> => {
    await kafka.close();
    await held?.close();
  };
  try {
    const hubId = plan.host ?? held?.hubId ?? (await readHubId(plan.dataDir));
    const view = await readState(kafka, plan);
    return {
      plan,
      dataDir: plan.dataDir,
      isKafka: true,
      view,
      prefixOf: (pipeline, source) => {
        const found = plan.pipelines.find(({ name }) => name === pipeline)?.sources.find(({ name }) => name === source);
        return found?.placement === 'host' ? `${hubId ?? ''}/` : '';
      },
      change: (pipeline, changes) => change(kafka, { plan, view, pipeline, changes }),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function change(
  kafka: CommandKafka,
  {
    plan,
    view,
    pipeline,
    changes,
  }: { plan: KafkaHub; view: OffsetsState['view']; pipeline: string; changes: SavedChanges },
): Promise<void> {
  const { client, log } = kafka;
  const configured = plan.pipelines.find(({ name }) => name === pipeline);
  const known = view.pipelines.find((one) => one.pipeline === pipeline)?.sinks ?? [];
  const sinks = [...new Set([...(configured?.sinks ?? []).map(({ name }) => name), ...known.map(({ sink }) => sink)])];
  const owner = { group: plan.group, pipeline };
  const sources = configured?.sources ?? [];
  return kafka.within((signal) =>
    changeKafkaState({ client, owner, sinks, sources, clock: realClock, log, signal }, changes),
  );
}

function hasHostSource({ sources }: PipelinePlan): boolean {
  return sources.some(({ placement }) => placement === 'host');
}
