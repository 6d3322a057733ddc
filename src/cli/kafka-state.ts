import { readKafkaState, type SavedView } from '../log/index.ts';
import { realClock } from '../telemetry/index.ts';
import { CommandKafka, type KafkaHub } from './command-kafka.ts';

export interface KafkaView {
  readonly view: SavedView;
  readonly isKafka: true;
  readonly kafka: CommandKafka;
  close(): Promise<void>;
}

/** What the group of a hub has saved in its cluster. Rejects with `KAFKA_UNREACHABLE`, or with what the cluster refuses. */
export async function viewKafka(plan: KafkaHub, env: NodeJS.ProcessEnv): Promise<KafkaView> {
  const kafka = new CommandKafka(plan, env);
  try {
    return { view: await readState(kafka, plan), isKafka: true, kafka, close: () => kafka.close() };
  } catch (error) {
    await kafka.close();
    throw error;
  }
}

export function readState(kafka: CommandKafka, plan: KafkaHub): Promise<SavedView> {
  const pipelines = plan.pipelines.map(({ name, topic, deadLetter, sources, sinks }) => ({
    name,
    topic: topic.name,
    deadLetterTopic: deadLetter.topic,
    writesTopic: sources.length > 0,
    sinks: sinks.map((sink) => sink.name),
  }));
  const { client, log } = kafka;
  return kafka.within((signal) =>
    readKafkaState({ client, group: plan.group, pipelines, clock: realClock, log, signal }),
  );
}
