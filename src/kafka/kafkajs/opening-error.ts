import { SluiceError } from '../../api/index.ts';
import type { KafkaSettings } from '../options.ts';
import { addressOf, type BrokerAddress } from '../common/address.ts';
import { refusedCredentials, withoutMechanism } from '../common/credentials.ts';
import {
  answersInPlaintext,
  causesIn,
  networkMatter,
  speaksPlaintext,
  speaksTls,
  tlsError,
  tlsMatter,
  unreachable,
} from '../common/opening-matters.ts';

const UNSUPPORTED_SASL_MECHANISM = 33;
const ILLEGAL_SASL_STATE = 34;
const SASL_AUTHENTICATION_FAILED = 58;

/** Why kafkajs made no connection, with the remedy. `refusals`: what its socket failed with, and what it rejected with. */
export async function openingError(
  refusals: readonly unknown[],
  {
    at,
    settings,
    isTlsAlert,
  }: { readonly at: BrokerAddress; readonly settings: KafkaSettings; readonly isTlsAlert: boolean },
): Promise<SluiceError> {
  const broker = addressOf(at);
  const causes = refusals.flatMap(causesIn);
  const ours = causes.find((cause) => cause instanceof SluiceError);
  if (ours !== undefined) return ours;
  if (isTlsAlert) return speaksTls(broker);
  const tls = causes.map((cause) => tlsMatter(cause, broker, settings)).find((matter) => matter !== null);
  if (tls !== undefined) return tlsError(tls);
  const refused = causes.map((cause) => refusalIn(cause, settings.sasl, broker)).find((error) => error !== null);
  if (refused !== undefined) return refused;
  const network = causes.map((cause) => networkMatter(cause, broker, settings)).find((matter) => matter !== null);
  if (network !== undefined) return unreachable(network, causes[0]);
  if (settings.tls !== false && (await answersInPlaintext(at))) return speaksPlaintext(broker);
  return unreachable(`broker ${broker} closes the connection`, causes[0]);
}

function refusalIn(cause: Error, sasl: KafkaSettings['sasl'], broker: string): SluiceError | null {
  if (sasl === undefined) return null;
  const { name, code } = cause as { name: string; code?: unknown };
  if (code === ILLEGAL_SASL_STATE) return withoutMechanism(sasl, [], broker);
  if (code === UNSUPPORTED_SASL_MECHANISM) return withoutMechanism(sasl, null, broker);
  const isRefused = code === SASL_AUTHENTICATION_FAILED || name === 'KafkaJSSASLAuthenticationError';
  return isRefused ? refusedCredentials(sasl, broker) : null;
}
