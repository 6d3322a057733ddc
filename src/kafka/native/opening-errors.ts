import { ResponseError } from './package.ts';
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
import { WireError, type Finding } from './wire.ts';
import { withoutMechanism } from '../common/credentials.ts';

export interface Failure {
  readonly at: BrokerAddress;
  readonly settings: KafkaSettings;
  readonly error: unknown;
}

/** Why a connection could not be made, with the remedy. Retryable is what may mend by itself; what only an operator mends is not. */
export async function openingError({ at, settings, error }: Failure): Promise<SluiceError> {
  const broker = addressOf(at);
  const causes = causesIn(error);
  const ours = causes.find((cause) => cause instanceof SluiceError);
  if (ours !== undefined) return ours;
  const finding = findingIn(causes);
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
export function brokenMatter({ at, settings, error }: Failure, mayLackCredentials: boolean): string {
  const broker = addressOf(at);
  const causes = causesIn(error);
  const finding = findingIn(causes);
  if (finding !== null) return strange(broker, finding).matter;
  if (causes.some((cause) => cause instanceof WireError && cause.isTimeout))
    return `broker ${broker} does not answer a request within its time-out`;
  const network = causes.map((cause) => networkMatter(cause, broker, settings)).find((matter) => matter !== null);
  return network ?? closedMatter(broker, mayLackCredentials);
}

function strange(broker: string, finding: Finding): KafkaError {
  if (finding === 'tls') return speaksTls(broker);
  const what = finding === 'http' ? 'answers in HTTP' : 'answers in something else than Kafka’s protocol';
  return unreachable(`${broker} ${what}: it is no Kafka broker, or another port of one`);
}

function findingIn(causes: readonly Error[]): Finding | null {
  return causes.find((cause) => cause instanceof WireError)?.finding ?? null;
}

/** What parsers throw. */
function isUnreadable(cause: Error): boolean {
  const isThrown = cause.name === 'TypeError' || cause.name === 'RangeError';
  return isThrown || codeOf(cause).endsWith('OUT_OF_BOUNDS');
}

function mechanismsIn(error: unknown): readonly string[] {
  const { response } = error as { response?: { mechanisms?: readonly string[] } };
  return response?.mechanisms ?? [];
}
