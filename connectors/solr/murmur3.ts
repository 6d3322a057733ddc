const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

/** MurmurHash3 x86_32 with seed 0 over `bytes[start, end)`, as a signed number (Austin Appleby, public domain; the vectors are Solr's). */
export function murmur3(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  let hash = 0;
  let at = start;
  for (const last = end - 4; at <= last; at += 4) {
    const block = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    hash ^= scrambled(block);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  let rest = 0;
  for (let left = end - 1; left >= at; left--) rest = (rest << 8) | bytes[left]!;
  if (at < end) hash ^= scrambled(rest);
  hash ^= length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) | 0;
}

function scrambled(block: number): number {
  const turned = Math.imul(block, C1);
  return Math.imul((turned << 15) | (turned >>> 17), C2);
}
