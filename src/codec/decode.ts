import { SluiceError } from '../api/index.ts';
import { JsonScanner } from './json-scanner.ts';
import { skipSpace } from './json-tokens.ts';
import { defaultCodecLimits, type CodecFault, type CodecLimits } from './limits.ts';
import { utf8Fault } from './utf8.ts';

/** What the bytes of a value become when something looks into them. */
export type Decoding = 'json' | 'text' | 'bytes';

/**
 * `json`: the parsed value; `__proto__` is a name like any other, and of duplicate names the last counts. `text`: UTF-8, wrong sequences become U+FFFD.
 * `bytes`: the bytes themselves. The function throws `DECODE_INVALID`, `DECODE_DEPTH` or `DECODE_KEYS`, none of them retryable.
 */
export function decoderFor(decode: Decoding, limits: CodecLimits = defaultCodecLimits): (bytes: Uint8Array) => unknown {
  switch (decode) {
    case 'json': {
      const scanner = new JsonScanner(limits);
      return (bytes) => decodeJson(scanner, asBuffer(bytes));
    }
    case 'text':
      return (bytes) => asBuffer(bytes).toString('utf8');
    case 'bytes':
      return (bytes) => bytes;
  }
}

/** Are the bytes one JSON value, and nothing but white space around it? */
export function isJsonText(bytes: Buffer, limits: CodecLimits = defaultCodecLimits): boolean {
  if (utf8Fault(bytes) !== null) return false;
  const end = new JsonScanner(limits).skipValue(bytes, 0, bytes.length);
  return end >= 0 && skipSpace(bytes, end, bytes.length) === bytes.length;
}

function decodeJson(scanner: JsonScanner, bytes: Buffer): unknown {
  const wrongBytes = utf8Fault(bytes);
  if (wrongBytes !== null) throw decodeError(wrongBytes);
  // JSON.parse takes any depth; what walks its result does not.
  const end = scanner.skipValue(bytes, 0, bytes.length);
  if (end < 0) throw decodeError(scanner.fault!);
  const rest = skipSpace(bytes, end, bytes.length);
  if (rest < bytes.length) throw decodeError(behindValue(rest));
  return JSON.parse(bytes.toString('utf8'));
}

export function behindValue(at: number): CodecFault {
  return { code: 'DECODE_INVALID', at, reason: 'expected nothing behind the value' };
}

function decodeError({ code, at, reason }: CodecFault): SluiceError {
  return new SluiceError(code, `decoding JSON: ${reason} at byte ${at}`);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
