import { kafkaAdminChecks } from './kafka-admin-checks.ts';
import type { KafkaClientCheck } from './kafka-client-setting.ts';
import { kafkaGroupChecks } from './kafka-group-checks.ts';
import { kafkaProducerChecks } from './kafka-producer-checks.ts';
import { kafkaReaderChecks } from './kafka-reader-checks.ts';

/** What every driver of `KafkaClient` holds on every broker, by what it claims. Run each check with a new setting. */
export const kafkaClientContract: readonly KafkaClientCheck[] = [
  ...kafkaAdminChecks,
  ...kafkaProducerChecks,
  ...kafkaReaderChecks,
  ...kafkaGroupChecks,
];
