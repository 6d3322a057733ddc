import { createRequire } from 'node:module';

/** CRC-32C (Castagnoli) of the bytes, continued from `seed`, the checksum of what came before them. */
export type Crc32c = (bytes: Uint8Array, seed?: number) => number;

let chosen: Crc32c | null = null;

/** Native where the prebuilt addon loads, else by tables: the results are the same, the speed is not. */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  chosen ??= loadNativeCrc32c() ?? createTableCrc32c();
  return chosen(bytes, seed);
}

/** Null where no prebuilt addon exists for this platform or it was not installed. */
export function loadNativeCrc32c(): Crc32c | null {
  try {
    return (createRequire(import.meta.url)('@node-rs/crc32') as { crc32c: Crc32c }).crc32c;
  } catch {
    return null;
  }
}

/** Eight bytes a step by eight tables ("slicing by 8"). */
export function createTableCrc32c(): Crc32c {
  const tables = buildTables();
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
  ];
  return (bytes, seed = 0) => {
    let crc = ~seed;
    let at = 0;
    for (const last = bytes.length - 8; at <= last; at += 8) {
      crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
      crc =
        t7[crc & 0xff]! ^
        t6[(crc >>> 8) & 0xff]! ^
        t5[(crc >>> 16) & 0xff]! ^
        t4[crc >>> 24]! ^
        t3[bytes[at + 4]!]! ^
        t2[bytes[at + 5]!]! ^
        t1[bytes[at + 6]!]! ^
        t0[bytes[at + 7]!]!;
    }
    for (; at < bytes.length; at++) crc = (crc >>> 8) ^ t0[(crc ^ bytes[at]!) & 0xff]!;
    return ~crc >>> 0;
  };
}

function buildTables(): Int32Array[] {
  const first = new Int32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
    first[byte] = crc;
  }
  const tables = [first];
  for (let table = 1; table < 8; table++) {
    tables.push(tables[table - 1]!.map((crc) => (crc >>> 8) ^ first[crc & 0xff]!));
  }
  return tables;
}
