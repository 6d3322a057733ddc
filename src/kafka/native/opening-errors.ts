import { connect } from 'node:net';
import { ResponseError } from '@platformatic/kafka';
import { SluiceError } from '../../api/index.ts';
import type { KafkaSettings } from '../options.ts';
import { addressOf, type BrokerAddress } from './address.ts';
import { KafkaError } from './errors.ts';
import type { Finding } from './frame-guard.ts';
import { withoutMechanism } from './sasl.ts';

const DOING = 'connecting to Kafka';
const PROBE_MS = 2000;

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
  const causes = errors.flatMap(chain);
  const ours = causes.find((cause) => cause instanceof SluiceError);
  if (ours !== undefined) return ours;
  if (finding !== null) return strange(broker, finding);
  if (causes.some(isUnreadable)) return strange(broker, 'alien');
  const tls = causes.map((cause) => tlsMatter(cause, broker, settings)).find((matter) => matter !== null);
  if (tls !== undefined) return new KafkaError('KAFKA_TLS', 'fatal', DOING, tls);
  const handshake = causes.find((cause) => cause instanceof ResponseError);
  if (handshake !== undefined && settings.sasl !== undefined)
    return withoutMechanism(settings.sasl, mechanismsIn(handshake), broker);
  const network = causes.map((cause) => networkMatter(cause, broker, settings)).find((matter) => matter !== null);
  if (network !== undefined) return unreachable(network);
  if (settings.tls !== false && (await answersInPlaintext(at)))
    return new KafkaError('KAFKA_TLS', 'fatal', DOING, plaintextPort(broker));
  return unreachable(`broker ${broker} closes the connection`, causes[0]);
}

/** Why requests of a connection that was made fail, in words. Brokers let clients connect before they ask for credentials. */
export function brokenMatter({ at, settings, errors, finding }: Failure, mayLackCredentials: boolean): string {
  const broker = addressOf(at);
  const causes = errors.flatMap(chain);
  if (finding !== null) return strange(broker, finding).matter;
  if (causes.some((cause) => cause.message === 'Request timed out'))
    return `broker ${broker} does not answer a request within its time-out`;
  const hint = mayLackCredentials ? ', as brokers do that ask for credentials: `sasl` is not set' : '';
  const network = causes.map((cause) => networkMatter(cause, broker, settings)).find((matter) => matter !== null);
  return network ?? `broker ${broker} closed the connection${hint}`;
}

function unreachable(matter: string, cause?: unknown): KafkaError {
  return new KafkaError('KAFKA_UNREACHABLE', 'metadata', DOING, matter, cause);
}

function strange(broker: string, finding: Finding): KafkaError {
  if (finding === 'tls')
    return new KafkaError('KAFKA_TLS', 'fatal', DOING, `broker ${broker} speaks TLS; set \`tls: true\``);
  const what = finding === 'http' ? 'answers in HTTP' : 'answers in something else than Kafka’s protocol';
  return unreachable(`${broker} ${what}: it is no Kafka broker, or another port of one`);
}

function plaintextPort(broker: string): string {
  return `broker ${broker} speaks plaintext on this port; leave \`tls\` out, or use its TLS port`;
}

/** What parsers and the search for the request of an answer throw. */
function isUnreadable(cause: Error): boolean {
  const isThrown = cause.name === 'TypeError' || cause.name === 'RangeError';
  return isThrown || /^PLT_KFK_(OUT_OF_BOUNDS|UNEXPECTED_CORRELATION_ID)$/.test(codeOf(cause));
}

/** An error with those behind it. */
function chain(error: unknown): Error[] {
  const found: Error[] = [];
  for (let next = error; isError(next) && found.length < 8; next = next.cause) found.push(next);
  return found;
}

function isError(value: unknown): value is Error {
  return typeof value === 'object' && value !== null && 'message' in value;
}

const untrusted = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
]);

function tlsMatter(cause: Error, broker: string, { tls }: KafkaSettings): string | null {
  const code = codeOf(cause);
  const hasCertificate = typeof tls === 'object' && tls.cert !== undefined;
  if (untrusted.has(code))
    return `the certificate of broker ${broker} is signed by an authority that is not trusted (${code}); set \`tls.ca\` to its certificate`;
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return `the certificate of broker ${broker} is not valid today (${code}); renew it, or set the clock`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `the certificate of broker ${broker} is for other names (${namesOf(cause)}); connect by one of these, or set \`tls.server_name\``;
  if (!code.startsWith('ERR_SSL_') && code !== 'EPROTO') return null;
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG')
    return plaintextPort(broker);
  if (/ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|HANDSHAKE_FAILURE|UNKNOWN_CA|CERTIFICATE_UNKNOWN)/.test(code))
    return hasCertificate
      ? `broker ${broker} does not accept the certificate of this client (${code}); its authority must be one that the broker trusts`
      : `broker ${broker} asks for a client certificate; set \`tls.cert\` and \`tls.key\``;
  if (/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/.test(code))
    return `broker ${broker} does not speak TLS 1.2 or later (${code})`;
  return `broker ${broker} breaks off the TLS handshake (${code})`;
}

function networkMatter(cause: Error, broker: string, { client }: KafkaSettings): string | null {
  const code = codeOf(cause);
  if (code === 'ECONNREFUSED') return `broker ${broker} refuses connections`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `the name of broker ${broker} cannot be resolved`;
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH' || code === 'ENETDOWN' || code === 'EADDRNOTAVAIL')
    return `there is no way to broker ${broker} (${code})`;
  const isTimeout = cause.message.includes('timed out');
  if (code === 'ETIMEDOUT' || isTimeout)
    return `broker ${broker} does not answer within ${client.connect_timeout / 1000} s`;
  return null;
}

function codeOf(cause: Error): string {
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
}

function namesOf(cause: Error): string {
  const certificate = (cause as { cert?: { subjectaltname?: string; subject?: { CN?: string } } }).cert;
  return certificate?.subjectaltname ?? certificate?.subject?.CN ?? 'none';
}

function mechanismsIn(error: unknown): readonly string[] {
  const { response } = error as { response?: { mechanisms?: readonly string[] } };
  return response?.mechanisms ?? [];
}

/** Whether ApiVersions v0, which every broker answers, sent without TLS, is answered: a broker that only dies in the handshake answers nothing. */
function answersInPlaintext({ host, port }: BrokerAddress): Promise<boolean> {
  const request = Buffer.from('0000000a0012000000000001ffff', 'hex');
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, host, () => socket.write(request));
  const settle = (answered: boolean): void => {
    socket.destroy();
    resolve(answered);
  };
  socket.setTimeout(PROBE_MS, () => {
    settle(false);
  });
  // The correlation id of the request comes back behind the length.
  socket.once('data', (chunk: Buffer) => {
    settle(chunk.length >= 8 && chunk.readUInt32BE(4) === 1);
  });
  socket.once('error', () => {
    settle(false);
  });
  socket.once('close', () => {
    settle(false);
  });
  return promise;
}
