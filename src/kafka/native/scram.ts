import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { KafkaError } from '../common/errors.ts';

const derive = promisify(pbkdf2);
/** RFC 7677 asks for 4,096 at least. The upper bound keeps a hostile broker from occupying the machine. */
const LEAST_ITERATIONS = 4096;
const MOST_ITERATIONS = 1_000_000;
const GS2_HEADER = 'n,,';

export interface ScramOptions {
  readonly hash: 'sha256' | 'sha512';
  readonly username: string;
  readonly password: string;
  /** Sends one message, resolves with the server's next. */
  readonly send: (message: Buffer) => Promise<Buffer>;
  /** For errors: the broker's address. */
  readonly broker: string;
}

/** SCRAM (RFC 5802) as Kafka speaks it: no channel binding, names and passwords as UTF-8. The server proves that it knows the password as well. */
export async function scram({ hash, username, password, send, broker }: ScramOptions): Promise<void> {
  const nonce = randomBytes(18).toString('base64');
  const name = username.replaceAll('=', '=3D').replaceAll(',', '=2C');
  const clientFirst = `n=${name},r=${nonce}`;
  const serverFirst = (await send(Buffer.from(GS2_HEADER + clientFirst))).toString();
  const { r: serverNonce = '', s: salt = '', i: count = '' } = attributesOf(serverFirst);
  const iterations = Number(count);
  if (!serverNonce.startsWith(nonce) || serverNonce === nonce || salt === '') throw distrust(broker);
  if (!(iterations >= LEAST_ITERATIONS && iterations <= MOST_ITERATIONS)) throw distrust(broker);

  const length = hash === 'sha256' ? 32 : 64;
  const salted = await derive(password, Buffer.from(salt, 'base64'), iterations, length, hash);
  const mac = (key: Buffer, text: string): Buffer => createHmac(hash, key).update(text).digest();
  const clientKey = mac(salted, 'Client Key');
  const storedKey = createHash(hash).update(clientKey).digest();
  const withoutProof = `c=${Buffer.from(GS2_HEADER).toString('base64')},r=${serverNonce}`;
  const exchanged = `${clientFirst},${serverFirst},${withoutProof}`;
  const signature = mac(storedKey, exchanged);
  const proof = Buffer.from(clientKey.map((byte, index) => byte ^ signature[index]!));

  const last = await send(Buffer.from(`${withoutProof},p=${proof.toString('base64')}`));
  const { v: verifier = '' } = attributesOf(last.toString());
  const expected = mac(mac(salted, 'Server Key'), exchanged);
  const shown = Buffer.from(verifier, 'base64');
  if (shown.length !== expected.length || !timingSafeEqual(shown, expected)) throw distrust(broker);
}

function attributesOf(message: string): Partial<Record<string, string>> {
  return Object.fromEntries(message.split(',').map((part) => [part.slice(0, 1), part.slice(2)]));
}

function distrust(broker: string): KafkaError {
  const matter = `broker ${broker} does not prove that it knows the password; it may be an impostor`;
  return new KafkaError('KAFKA_CREDENTIALS', 'fatal', 'connecting to Kafka', matter);
}
