import type { HubPlan } from '../../config/index.ts';
import { parkingTopic, sinkGroup } from '../../log/index.ts';
import { CommandKafka } from '../command-kafka.ts';
import { forgetInKafka } from '../forget-in-kafka.ts';

/** Removes what the hub of a trial made in its Kafka: topics, groups, checkpoints. Nothing with an embedded log. */
export async function forgetTrial(hub: HubPlan, env: NodeJS.ProcessEnv): Promise<void> {
  const { kafka, group, pipelines } = hub;
  if (kafka === null) return;
  const [{ name, topic, deadLetter, sources, sinks }] = pipelines as readonly [HubPlan['pipelines'][number]];
  const plan = { ...hub, kafka };
  const state = forgetInKafka(plan, name, env);
  try {
    for (const sink of sinks) await state.forget('sink', sink.name);
    for (const source of sources) await state.forget('source', source.name);
  } finally {
    await state.close();
  }
  const cluster = new CommandKafka(plan, env);
  const topics = [topic.name, deadLetter.topic, parkingTopic(name)].filter((one) => one !== null);
  try {
    await cluster.within(async (signal) => {
      for (const one of topics) await cluster.client.deleteTopic(one, signal);
      for (const sink of sinks)
        await cluster.client.deleteGroup(sinkGroup({ group, pipeline: name, hubId: '' }, sink.name), signal);
    });
  } finally {
    await cluster.close();
  }
}
