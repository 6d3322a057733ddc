import { describeError, SluiceError, type ErrorCode, type Json } from '../api/index.ts';
import { kafkaSettings, type HubPlan } from '../config/index.ts';
import { openKafka, type KafkaClient, type KafkaFeatures, type KafkaSettings } from '../kafka/index.ts';
import { checkKafkaLog, type KafkaLogFinding } from '../log/index.ts';
import { createLogger, realClock } from '../telemetry/index.ts';
import { kafkaLogPlan } from './kafka-log-plan.ts';
import { counted } from './numbers.ts';

/** Of the cluster itself, or of what one pipeline needs there. */
export interface KafkaFinding extends KafkaLogFinding {
  /** Null: the cluster itself. */
  readonly pipeline: string | null;
}

/** What the brokers do not say within it they do not say. */
const DEADLINE_MS = 10_000;

const REMEDIES: Partial<Readonly<Record<ErrorCode, string>>> = {
  KAFKA_UNREACHABLE: 'check `brokers` and the network',
  KAFKA_CREDENTIALS: 'check `sasl`: mechanism, user and password as the brokers know them',
  KAFKA_TLS: 'check `tls` and the port: brokers have one port for TLS and another without',
  KAFKA_DENIED: 'have it allowed to this user (kafka-acls)',
};

/** Asks the cluster of a hub whether its pipelines could run there. Changes nothing. */
export async function checkKafka(
  plan: HubPlan & { readonly kafka: Json },
  env: NodeJS.ProcessEnv,
): Promise<readonly KafkaFinding[]> {
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  const waits: string[] = [];
  const onWait = (reason: string | null): void => {
    if (reason !== null) waits.push(reason);
  };
  const log = createLogger({ level: 'error', destination: { write: () => true }, pretty: false });
  let client: KafkaClient | null = null;
  try {
    const settings = kafkaSettings(plan, env);
    client = openKafka(settings, { clock: realClock, log, onWait });
    return await findings(client, { plan, settings, signal: deadline });
  } catch (error) {
    const silence = `no answer within ${DEADLINE_MS / 1000} s`;
    const late = new SluiceError('KAFKA_UNREACHABLE', `reaching Kafka: ${waits.at(-1) ?? silence}`);
    return [ofCluster('error', withRemedy(deadline.aborted ? late : error))];
  } finally {
    await client?.close().catch(() => undefined);
  }
}

async function findings(
  client: KafkaClient,
  { plan, settings, signal }: { plan: HubPlan; settings: KafkaSettings; signal: AbortSignal },
): Promise<readonly KafkaFinding[]> {
  const { id, brokers } = await client.cluster(signal);
  const features = await client.features(signal);
  const found = [ofCluster('note', `cluster ${id}, ${counted(brokers.length, 'broker')}${featureText(features)}`)];
  if (settings.client.group_protocol === 'consumer' && !features.consumerProtocol)
    found.push(ofCluster('error', '`client.group_protocol: consumer` needs brokers from 4.0 on; leave it out'));
  if (!features.transactions)
    found.push(ofCluster('warning', 'no transactions here: nothing fences a hub that was replaced'));
  for (const pipeline of plan.pipelines) {
    const sinks = pipeline.sinks.map(({ name }) => name);
    const own = await checkKafkaLog({ client, group: plan.group, plan: kafkaLogPlan(pipeline), sinks, signal });
    found.push(...own.map((finding) => ({ pipeline: pipeline.name, ...finding })));
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
  return remedy === undefined ? describeError(error) : `${describeError(error)}; ${remedy}`;
}
