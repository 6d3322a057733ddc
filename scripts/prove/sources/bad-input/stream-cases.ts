import { encode } from '@msgpack/msgpack';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { BadCase } from './bad-case.ts';

const MEBIBYTE = 1024 * 1024;
const nuls = (): Buffer => Buffer.alloc(400 * MEBIBYTE);

/** The connection is closed, and nothing is said: no acknowledgement above all. */
function closed(name: string, bytes: () => Uint8Array): BadCase {
  return { name, bytes, how: { waitMs: 10_000 }, isRight: ({ text, isClosed }) => isClosed && text === '' };
}

/** Taken for what it is: one record, or none but a dead letter. */
function taken(name: string, bytes: () => Uint8Array, records = 1): BadCase {
  return { name, records, bytes, how: { leaves: true }, isRight: () => true };
}

const chunk = (entries: Uint8Array, compressed: string): Uint8Array =>
  encode(['proof', entries, { compressed, chunk: 'bomb' }]);
const nested = (levels: number): Buffer => Buffer.concat([Buffer.alloc(levels, 0x91), Buffer.from([0xc0])]);
const tagged = (tag: string): Uint8Array => encode([tag, 1_700_000_000, { odd: true }]);

export const forwardCases: readonly BadCase[] = [
  closed('gzip that becomes 400 MiB', () => chunk(gzipSync(nuls()), 'gzip')),
  closed('zstd that becomes 400 MiB', () => chunk(zstdCompressSync(nuls()), 'zstd')),
  closed('gzip that is none', () => chunk(Buffer.from('no gzip'), 'gzip')),
  closed('an array of 2^32-1 elements in five bytes', () => Buffer.from('ddffffffff', 'hex')),
  closed('a text of 2^32-1 bytes in five', () => Buffer.from('dbffffffff', 'hex')),
  closed('a map of 2^32-1 members in five bytes', () => Buffer.from('dfffffffff', 'hex')),
  closed('a million levels', () => nested(1_000_000)),
  closed('JSON', () => Buffer.from('["tag",1,{"a":1}]')),
  closed('HTTP', () => Buffer.from('GET / HTTP/1.1\r\n\r\n')),
  closed('a code that MessagePack never uses', () => Buffer.from([0xc1])),
  closed('a number where a message belongs', () => Buffer.from([0x05])),
  taken('a tag that climbs', () => tagged('../../../etc/cron.d/x')),
  taken('a tag that is absolute, with NUL and line feed', () => tagged('/etc/passwd\0\n%2e%2e')),
  taken('a tag of 4 KB', () => tagged('t'.repeat(4096))),
];

export const syslogCases: readonly BadCase[] = [
  taken('NUL and control bytes', () => Buffer.from('<13>odd \0\x01\x1b[31m\n')),
  taken('a priority that there is not', () => Buffer.from('<999>odd\n')),
  taken('structured data that never ends', () => Buffer.from('<13>1 - h a - - [id k="v odd\n')),
  taken('bytes that are no UTF-8', () => Buffer.from([0x3c, 0x31, 0x33, 0x3e, 0xff, 0xfe, 0x0a])),
  // What is longer than a message may be is a dead letter, cut.
  taken('a count of 9,999,999,999', () => Buffer.from(`9999999999 <13>${'x'.repeat(100_000)}`), 0),
  taken('a line of 10 MB', () => Buffer.from(`<13>${'x'.repeat(10_000_000)}\n`), 0),
];

export const socketCases: readonly BadCase[] = [
  closed('a length of 2^32-1', () => Buffer.from('ffffffff', 'hex')),
  taken('half a record, and gone', () => Buffer.from('0000000a7b22', 'hex'), 0),
  taken('what is no JSON', () => Buffer.from('000000036e6f21', 'hex'), 0),
];
