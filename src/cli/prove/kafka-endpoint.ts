import { dirname } from 'node:path';
import { convertOptions, type HubPlan, type LegPlan } from '../../config/index.ts';
import { openKafka, type KafkaClient, type KafkaSettings } from '../../kafka/index.ts';
import { createRegistry } from '../../registry/index.ts';
import { createLogger, realClock } from '../../telemetry/index.ts';
import type { KafkaProxies } from './kafka-proxies.ts';
import { Unprovable } from './trial.ts';

const WAIT_MS = 10_000;

/** The cluster of a leg, for what a trial makes and reads there. */
export interface KafkaEndpoint {
  readonly client: KafkaClient;
  /** Makes a topic with as many partitions and replicas as the model has; resolves with the number of partitions. */
  createLike(model: string, topic: string): Promise<number>;
  /** Removes what it made. */
  close(): Promise<void>;
}

/** `hub`: the user's own; the pipeline of the leg is its only one. */
export async function openEndpoint({
  hub,
  plan,
  env,
  kind,
  kafkaProxies,
}: {
  readonly hub: HubPlan;
  readonly plan: LegPlan;
  readonly env: NodeJS.ProcessEnv;
  readonly kind: 'source' | 'sink';
  readonly kafkaProxies: KafkaProxies;
}): Promise<KafkaEndpoint> {
  const definition = (await createRegistry().find(kind, plan.connector))!;
  const baseDir = dirname(hub.pipelines[0]!.file);
  const context = { references: hub.references, env, baseDir };
  const settings = convertOptions(definition, plan.options, context) as KafkaSettings;
  const log = createLogger({ level: 'error', destination: { write: () => true }, pretty: false });
  const client = openKafka(settings, { clock: realClock, log });
  const made: string[] = [];
  return {
    client,
    createLike: async (model, topic) => {
      const [found] = await client.topics([model], AbortSignal.timeout(WAIT_MS)).catch((cause: unknown) => {
        throw new Unprovable(`${kind} ${plan.name}: its Kafka does not answer (${String(cause)})`);
      });
      if (found === undefined) throw new Unprovable(`${kind} ${plan.name}: there is no topic ${model}`);
      await kafkaProxies.add(client, settings);
      const { partitions } = found;
      await client.createTopic({
        name: topic,
        partitions: partitions.length,
        replicationFactor: partitions[0]!.replicas,
      });
      made.push(topic);
      return partitions.length;
    },
    close: async () => {
      for (const topic of made) await client.deleteTopic(topic, AbortSignal.timeout(WAIT_MS)).catch(() => undefined);
      await client.close();
    },
  };
}
