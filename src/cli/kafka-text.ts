import type { KafkaSettings } from '../kafka/index.ts';

const SHOWN = 3;

/** `Kafka at kafka-1:9092, kafka-2:9092 (TLS, scram-sha-512)`: which cluster, and how it is reached. References are shown as they are written. */
export function kafkaText({ brokers, tls, sasl, driver }: KafkaSettings): string {
  const more = brokers.length > SHOWN ? ` and ${brokers.length - SHOWN} more` : '';
  const how = [
    ...(tls === false ? [] : ['TLS']),
    ...(sasl === undefined ? [] : [sasl.mechanism]),
    ...(driver === 'native' ? [] : [`driver ${driver}`]),
  ];
  return `Kafka at ${brokers.slice(0, SHOWN).join(', ')}${more}${how.length === 0 ? '' : ` (${how.join(', ')})`}`;
}
