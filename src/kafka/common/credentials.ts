import type { KafkaSettings } from '../options.ts';
import { KafkaError } from './errors.ts';

export type Sasl = NonNullable<KafkaSettings['sasl']>;

/** The names of the mechanisms in the protocol. */
export const mechanisms = {
  plain: 'PLAIN',
  'scram-sha-256': 'SCRAM-SHA-256',
  'scram-sha-512': 'SCRAM-SHA-512',
  oauthbearer: 'OAUTHBEARER',
} as const satisfies Readonly<Record<Sasl['mechanism'], string>>;

export function credentialsError(matter: string): KafkaError {
  return new KafkaError('KAFKA_CREDENTIALS', 'fatal', 'connecting to Kafka', matter);
}

export function refusedCredentials({ mechanism, username }: Sasl, broker: string): KafkaError {
  if (mechanism === 'oauthbearer')
    return credentialsError(`broker ${broker} refuses the token; check its issuer, audience and expiry`);
  const who = `the user ${JSON.stringify(username)} or its password (${mechanisms[mechanism]})`;
  return credentialsError(
    `broker ${broker} refuses ${who}; check \`sasl\`, and that the user exists for this mechanism`,
  );
}

/** `offered`: what the broker named instead; null: it was not heard. */
export function withoutMechanism({ mechanism }: Sasl, offered: readonly string[] | null, broker: string): KafkaError {
  const doesNotOffer = `broker ${broker} does not offer ${mechanisms[mechanism]}`;
  if (offered === null) return credentialsError(`${doesNotOffer}; set \`sasl.mechanism\` to one that it offers`);
  if (offered.length === 0)
    return credentialsError(`${doesNotOffer}: it asks for no credentials; leave \`sasl\` out, or use another port`);
  const all = offered.join(', ');
  return credentialsError(`${doesNotOffer}: it offers ${all}; set \`sasl.mechanism\` to one of these`);
}
