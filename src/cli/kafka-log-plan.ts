import type { PipelinePlan } from '../config/index.ts';
import type { KafkaSettings } from '../kafka/index.ts';
import type { KafkaLogOptions, KafkaLogPlan } from '../log/index.ts';

/** What a log on Kafka has to know of a pipeline. */
export function kafkaLogPlan({ name, topic, deadLetter, sources, sinks }: PipelinePlan): KafkaLogPlan {
  return {
    pipeline: name,
    topic,
    deadLetter: deadLetter.topic === null ? null : { topic: deadLetter.topic },
    sources: sources.map((source) => ({
      name: source.name,
      placement: source.placement,
      isExact: source.delivery === 'exactly_once',
    })),
    jobs: sinks.filter(({ takes }) => takes === 'ranges').map(({ name: sink }) => sink),
  };
}

/** How it behaves towards the brokers. */
export function kafkaLogTraits({
  client,
}: Pick<KafkaSettings, 'client'>): Pick<KafkaLogOptions, 'member' | 'transactionTimeoutMs'> {
  return {
    member: {
      protocol: client.group_protocol,
      sessionTimeoutMs: client.session_timeout,
      heartbeatMs: client.heartbeat_interval,
    },
    transactionTimeoutMs: client.transaction_timeout,
  };
}
