import { forgetKafkaSink, forgetKafkaSource } from '../log/index.ts';
import { realClock } from '../telemetry/index.ts';
import { CommandKafka, type KafkaHub } from './command-kafka.ts';
import type { ForgetfulState } from './commands/offsets-forget.ts';
import { readState } from './kafka-state.ts';

/** The state of a pipeline in the cluster of its hub. Nothing is changed while a hub of the group runs it. */
export function forgetInKafka(plan: KafkaHub, pipeline: string, env: NodeJS.ProcessEnv): ForgetfulState {
  const kafka = new CommandKafka(plan, env);
  const { client, log } = kafka;
  const saved: ForgetfulState['saved'] = async () => {
    const { pipelines } = await readState(kafka, plan);
    return pipelines.find((one) => one.pipeline === pipeline);
  };
  return {
    saved,
    forget: async (kind, leg) => {
      const configured = plan.pipelines.find(({ name }) => name === pipeline)?.sinks ?? [];
      const known = (await saved())?.sinks ?? [];
      const sinks = [...new Set([...configured.map(({ name }) => name), ...known.map(({ sink }) => sink)])];
      const owner = { group: plan.group, pipeline };
      return kafka.within((signal) => {
        const options = { client, owner, sinks, clock: realClock, log, signal };
        return kind === 'sink' ? forgetKafkaSink(options, leg) : forgetKafkaSource(options, leg);
      });
    },
    close: () => kafka.close(),
  };
}
