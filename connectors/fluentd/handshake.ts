import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { SluiceError } from 'sluice/api';
import { MsgpackCursor } from 'sluice/codec';
import type { SourceOptions } from './options.ts';

type Security = NonNullable<SourceOptions['security']>;

const RANDOM_BYTES = 16;
/** Under a key that nobody knows digests are compared in a time that says nothing. */
const comparing = randomBytes(32);

/** The server's side of the handshake: HELO, the client's PING, PONG (forward protocol v1, "Authentication"). */
export class Handshake {
  readonly #security: Security;
  readonly #nonce: Buffer;
  readonly #salt: Buffer;

  constructor(security: Security, random: (bytes: number) => Buffer = randomBytes) {
    this.#security = security;
    this.#nonce = random(RANDOM_BYTES);
    this.#salt = random(RANDOM_BYTES);
  }

  /** To be sent in one write: Fluent Bit reads it with one read. */
  helo(): Buffer {
    const auth = this.#security.users.length > 0 ? this.#salt : Buffer.alloc(0);
    return Buffer.concat([
      Buffer.from([0x92]),
      text('HELO'),
      Buffer.from([0x83]),
      text('nonce'),
      binary(this.#nonce),
      text('auth'),
      binary(auth),
      text('keepalive'),
      Buffer.from([0xc3]),
    ]);
  }

  /** What to answer to the PING in `bytes[at, end)`. `reason`: why the client is not let in; null when it is. */
  answer(cursor: MsgpackCursor, bytes: Buffer, at: number, end: number): { pong: Buffer; reason: string | null } {
    const { self_hostname: hostname, shared_key: key, users } = this.#security;
    const ping = readPing(cursor, bytes, at, end);
    if (ping === null) return refusal('invalid ping message');
    const { client, salt, digest, username, password } = ping;
    if (!isEqual(digest, hexOf(salt, client, this.#nonce, Buffer.from(key)))) return refusal('shared_key mismatch');
    if (users.length > 0) {
      const user = users.find((known) => isEqual(username, Buffer.from(known.username)));
      const wanted = hexOf(this.#salt, username, Buffer.from(user?.password ?? ''));
      if (!isEqual(password, wanted) || user === undefined) return refusal('username/password mismatch');
    }
    const name = Buffer.from(hostname);
    const pong = Buffer.concat([
      Buffer.from([0x95]),
      text('PONG'),
      Buffer.from([0xc3]),
      text(''),
      text(hostname),
      text(hexOf(salt, name, this.#nonce, Buffer.from(key)).toString('latin1')),
    ]);
    return { pong, reason: null };
  }
}

interface Ping {
  readonly client: Buffer;
  readonly salt: Buffer;
  readonly digest: Buffer;
  readonly username: Buffer;
  readonly password: Buffer;
}

/** Everything in it is bytes: Fluent Bit sends random ones as text. Null when it is no PING. */
function readPing(cursor: MsgpackCursor, bytes: Buffer, at: number, end: number): Ping | null {
  try {
    cursor.open(bytes, at, end);
    if (cursor.array() !== 6) return null;
    const parts = Array.from({ length: 6 }, () => {
      cursor.text();
      return Buffer.from(bytes.subarray(cursor.from, cursor.to));
    });
    const [kind, client, salt, digest, username, password] = parts as [Buffer, Buffer, Buffer, Buffer, Buffer, Buffer];
    return kind.toString() === 'PING' ? { client, salt, digest, username, password } : null;
  } catch (error) {
    if (error instanceof SluiceError) return null;
    throw error;
  }
}

function refusal(reason: string): { pong: Buffer; reason: string } {
  const pong = Buffer.concat([
    Buffer.from([0x95]),
    text('PONG'),
    Buffer.from([0xc2]),
    text(reason),
    text(''),
    text(''),
  ]);
  return { pong, reason };
}

/** SHA-512 of the bytes one after the other, in hexadecimal letters. */
function hexOf(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('sha512');
  for (const part of parts) hash.update(part);
  return Buffer.from(hash.digest('hex'));
}

function isEqual(one: Buffer, other: Buffer): boolean {
  const digest = (bytes: Buffer): Buffer => createHmac('sha256', comparing).update(bytes).digest();
  return timingSafeEqual(digest(one), digest(other));
}

/** Of at most 255 bytes. */
function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([
    bytes.length < 32 ? Buffer.from([0xa0 + bytes.length]) : Buffer.from([0xd9, bytes.length]),
    bytes,
  ]);
}

/** Of at most 255 bytes. */
function binary(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0xc4, bytes.length]), bytes]);
}
