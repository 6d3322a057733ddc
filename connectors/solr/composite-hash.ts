import { murmur3 } from './murmur3.ts';

const BANG = 0x21;
const SLASH = 0x2f;
const ZERO = 0x30;
const NINE = 0x39;

interface Part {
  readonly start: number;
  readonly end: number;
  /** Of its hash, given by `/n` behind it; -1 is what Solr makes of a number that is none, or too large. */
  readonly bits: number | null;
}

/**
 * Where the router `compositeId` of SolrCloud puts a document: a signed hash of its id. `tenant!order` takes the upper half from the tenant, so that a tenant stays
 * together; `a!b!c` has three parts, and `a/4!b` says how many bits count (Solr reference guide, "Document routing"). Shifts go by modulo 32, in Java as here.
 */
export function compositeHash(id: Uint8Array, start: number, end: number): number {
  const bang = id.subarray(start, end).indexOf(BANG);
  return bang < 0 ? murmur3(id, start, end) : hashOfParts(id, { start, end, bang: start + bang });
}

function hashOfParts(id: Uint8Array, { start, end, bang }: { start: number; end: number; bang: number }): number {
  const parts = partsOf(id, { start, end, bang });
  const isTriple = parts.length === 3;
  const hashes = parts.map((part) => murmur3(id, part.start, part.end));
  const first = parts[0]!.bits ?? (isTriple ? 8 : 16);
  const firstMask = first === 0 ? 0 : -1 << (32 - first);
  if (!isTriple) return (hashes[0]! & firstMask) | ((hashes[1] ?? 0) & (first === 32 ? 0 : -1 >>> first));
  const second = parts[1]!.bits ?? 8;
  const sum = first + second;
  const secondMask = firstMask ^ (sum === 0 ? 0 : -1 << (32 - sum));
  const lastMask = sum === 32 ? 0 : ~(firstMask | secondMask);
  return (hashes[0]! & firstMask) | (hashes[1]! & secondMask) | (hashes[2]! & lastMask);
}

/** Two or three. Only those before the last may say how many bits count; a separator at the end stands for an empty part. */
function partsOf(id: Uint8Array, { start, end, bang }: { start: number; end: number; bang: number }): Part[] {
  const ranges = [{ start, end: bang }];
  if (bang < end - 1) {
    const next = id.subarray(bang + 1, end).indexOf(BANG);
    const second = next < 0 ? end : bang + 1 + next;
    if (second > bang + 1 || second < end - 1) ranges.push({ start: bang + 1, end: second });
    if (second < end - 1) ranges.push({ start: second + 1, end });
  }
  if (id[end - 1] === BANG && ranges.length < 3) ranges.push({ start: end, end });
  return ranges.map((range, at) => (at < ranges.length - 1 ? withBits(id, range) : { ...range, bits: null }));
}

function withBits(id: Uint8Array, { start, end }: { start: number; end: number }): Part {
  const slash = id.subarray(start, end).indexOf(SLASH);
  if (slash <= 0) return { start, end, bits: null };
  return { start, end: start + slash, bits: bitsOf(id, start + slash + 1, end) };
}

function bitsOf(id: Uint8Array, start: number, end: number): number {
  let bits = 0;
  for (let at = start; at < end; at++) {
    const byte = id[at]!;
    if (byte < ZERO || byte > NINE) return -1;
    bits = (Math.imul(bits, 10) + byte - ZERO) | 0;
  }
  return bits > 32 ? -1 : bits;
}
