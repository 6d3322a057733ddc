import { describeError, SluiceError, type ErrorCode } from '../api/index.ts';
import { kafkaPreview } from '../config/index.ts';
import type { KafkaClient, KafkaFeatures } from '../kafka/index.ts';
import { checkKafkaLog, type KafkaLogFinding } from '../log/index.ts';
import { CommandKafka, type KafkaHub } from './command-kafka.ts';
import { kafkaLogPlan } from './kafka-log-plan.ts';
import { counted } from './numbers.ts';

/** Of the cluster itself, or of what one pipeline needs there. */
export interface KafkaFinding extends KafkaLogFinding {
  /** Null: the cluster itself. */
  readonly pipeline: string | null;
}

const REMEDIES: Partial<Readonly<Record<ErrorCode, string>>> = {
  KAFKA_UNREACHABLE: 'check `brokers` and the network',
  KAFKA_CREDENTIALS: 'check `sasl`: mechanism, user and password as the brokers know them',
  KAFKA_TLS: 'check `tls` and the port: brokers have one port for TLS and another without',
  KAFKA_DENIED: 'have it allowed to this user (kafka-acls)',
};

/** Asks the cluster of a hub whether its pipelines could run there. Changes nothing. */
export async function checkKafka(plan: KafkaHub, env: NodeJS.ProcessEnv): Promise<readonly KafkaFinding[]> {
  let kafka: CommandKafka | null = null;
  try {
    kafka = new CommandKafka(plan, env);
    const { client } = kafka;
    return await kafka.within((signal) => findings(client, plan, signal));
  } catch (error) {
    return [ofCluster('error', withRemedy(error))];
  } finally {
    await kafka?.close();
  }
}

async function findings(client: KafkaClient, plan: KafkaHub, signal: AbortSignal): Promise<readonly KafkaFinding[]> {
  const { id, brokers } = await client.cluster(signal);
  const features = await client.features(signal);
  const found = [ofCluster('note', `cluster ${id}, ${counted(brokers.length, 'broker')}${featureText(features)}`)];
  if (kafkaPreview(plan).client.group_protocol === 'consumer' && !features.consumerProtocol)
    found.push(ofCluster('error', '`client.group_protocol: consumer` needs brokers from 4.0 on; leave it out'));
  if (!features.transactions)
    found.push(ofCluster('warning', 'no transactions here: nothing fences a hub that was replaced'));
  for (const pipeline of plan.pipelines) {
    const sinks = pipeline.sinks.map(({ name }) => name);
    const own = await checkKafkaLog({ client, group: plan.group, plan: kafkaLogPlan(pipeline), sinks, signal });
    // Pipelines share topics, the one of checkpoints above all.
    const news = own.filter(
      ({ about, message }) => !found.some((one) => one.about === about && one.message === message),
    );
    found.push(...news.map((finding) => ({ pipeline: pipeline.name, ...finding })));
  }
  return found;
}

function ofCluster(severity: KafkaFinding['severity'], message: string): KafkaFinding {
  return { pipeline: null, about: 'kafka', message, severity };
}

function featureText({ transactions, topicIds, consumerProtocol, zstd }: KafkaFeatures): string {
  const known = [
    ...(transactions ? ['transactions'] : []),
    ...(topicIds ? ['topic ids'] : []),
    ...(consumerProtocol ? ['groups of KIP-848'] : []),
    ...(zstd ? ['zstd'] : []),
  ];
  return known.length === 0 ? '' : `; it knows ${known.join(', ')}`;
}

function withRemedy(error: unknown): string {
  const remedy = error instanceof SluiceError ? REMEDIES[error.code] : undefined;
  const said = describeError(error);
  // One that says what to do about just this needs no general advice.
  return remedy === undefined || said.includes('; ') ? said : `${said}; ${remedy}`;
}
