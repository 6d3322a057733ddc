import { ResponseError } from '@platformatic/kafka';
import { SluiceError } from '../../api/index.ts';
import type { KafkaSettings } from '../options.ts';
import { addressOf, type BrokerAddress } from '../common/address.ts';
import type { KafkaError } from '../common/errors.ts';
import {
  answersInPlaintext,
  causesIn,
  closedMatter,
  codeOf,
  networkMatter,
  speaksPlaintext,
  speaksTls,
  tlsError,
  tlsMatter,
  unreachable,
} from '../common/opening-matters.ts';
import type { Finding } from './frame-guard.ts';
import { withoutMechanism } from '../common/credentials.ts';

export interface Failure {
  readonly at: BrokerAddress;
  readonly settings: KafkaSettings;
  /** What the package rejected with, and what the socket failed with before: one of them holds the reason. */
  readonly errors: readonly unknown[];
  readonly finding: Finding | null;
}

/** Why a connection could not be made, with the remedy. Retryable is what may mend by itself; what only an operator mends is not. */
export async function openingError({ at, settings, errors, finding }: Failure): Promise<SluiceError> {
  const broker = addressOf(at);
  const causes = errors.flatMap(causesIn);
  const ours = causes.find((cause) => cause instanceof SluiceError);
  if (ours !== undefined) return ours;
  if (finding !== null) return strange(broker, finding);
  if (causes.some(isUnreadable)) return strange(broker, 'alien');
  const tls = causes.map((cause) => tlsMatter(cause, broker, settings)).find((matter) => matter !== null);
  if (tls !== undefined) return tlsError(tls);
  const handshake = causes.find((cause) => cause instanceof ResponseError);
  if (handshake !== undefined && settings.sasl !== undefined)
    return withoutMechanism(settings.sasl, mechanismsIn(handshake), broker);
  const network = causes.map((cause) => networkMatter(cause, broker, settings)).find((matter) => matter !== null);
  if (network !== undefined) return unreachable(network);
  if (settings.tls !== false && (await answersInPlaintext(at))) return speaksPlaintext(broker);
  return unreachable(`broker ${broker} closes the connection`, causes[0]);
}

/** Why requests of a connection that was made fail, in words. */
export function brokenMatter({ at, settings, errors, finding }: Failure, mayLackCredentials: boolean): string {
  const broker = addressOf(at);
  const causes = errors.flatMap(causesIn);
  if (finding !== null) return strange(broker, finding).matter;
  if (causes.some((cause) => cause.message === 'Request timed out'))
    return `broker ${broker} does not answer a request within its time-out`;
  const network = causes.map((cause) => networkMatter(cause, broker, settings)).find((matter) => matter !== null);
  return network ?? closedMatter(broker, mayLackCredentials);
}

function strange(broker: string, finding: Finding): KafkaError {
  if (finding === 'tls') return speaksTls(broker);
  const what = finding === 'http' ? 'answers in HTTP' : 'answers in something else than Kafka’s protocol';
  return unreachable(`${broker} ${what}: it is no Kafka broker, or another port of one`);
}

/** What parsers and the search for the request of an answer throw. */
function isUnreadable(cause: Error): boolean {
  const isThrown = cause.name === 'TypeError' || cause.name === 'RangeError';
  return isThrown || /^PLT_KFK_(OUT_OF_BOUNDS|UNEXPECTED_CORRELATION_ID)$/.test(codeOf(cause));
}

function mechanismsIn(error: unknown): readonly string[] {
  const { response } = error as { response?: { mechanisms?: readonly string[] } };
  return response?.mechanisms ?? [];
}
