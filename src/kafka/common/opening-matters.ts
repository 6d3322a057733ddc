import { connect } from 'node:net';
import { type BrokerAddress } from './address.ts';
import type { KafkaSettings } from '../options.ts';
import { KafkaError } from './errors.ts';

const DOING = 'connecting to Kafka';
const PROBE_MS = 2000;

export function unreachable(matter: string, cause?: unknown): KafkaError {
  return new KafkaError('KAFKA_UNREACHABLE', 'metadata', DOING, matter, cause);
}

export function tlsError(matter: string): KafkaError {
  return new KafkaError('KAFKA_TLS', 'fatal', DOING, matter);
}

/** Brokers let clients connect before they ask for credentials. */
export function closedMatter(broker: string, mayLackCredentials: boolean): string {
  const hint = mayLackCredentials ? ', as brokers do that ask for credentials: `sasl` is not set' : '';
  return `broker ${broker} closed the connection${hint}`;
}

/** Plain text to a port that speaks TLS. */
export function speaksTls(broker: string): KafkaError {
  return tlsError(`broker ${broker} speaks TLS; set \`tls: true\``);
}

/** TLS to a port that speaks plain text. */
export function speaksPlaintext(broker: string): KafkaError {
  return tlsError(plaintextPort(broker));
}

function plaintextPort(broker: string): string {
  return `broker ${broker} speaks plaintext on this port; leave \`tls\` out, or use its TLS port`;
}

/** An error with those behind it. */
export function causesIn(error: unknown): Error[] {
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

export function tlsMatter(cause: Error, broker: string, { tls }: KafkaSettings): string | null {
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

export function networkMatter(cause: Error, broker: string, { client }: KafkaSettings): string | null {
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

export function codeOf(cause: Error): string {
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
}

function namesOf(cause: Error): string {
  const certificate = (cause as { cert?: { subjectaltname?: string; subject?: { CN?: string } } }).cert;
  return certificate?.subjectaltname ?? certificate?.subject?.CN ?? 'none';
}

/** Whether ApiVersions v0, which every broker answers, sent without TLS, is answered: a broker that only dies in the handshake answers nothing. */
export function answersInPlaintext({ host, port }: BrokerAddress): Promise<boolean> {
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
