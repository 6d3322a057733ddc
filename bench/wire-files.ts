import { encode } from '@msgpack/msgpack';
import { createReadStream } from 'node:fs';
import { open, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { gzipSync } from 'node:zlib';
import { cacheFolder } from './folders.ts';
import type { Lines } from './lines.ts';

/** How clients send the lines, as bytes that only need to be written. */
export type Wire = 'forward' | 'forward-gzip' | 'syslog';

/** What stands in the name of a cached file: a change of the bytes makes it another one. */
const VERSION = 1;
/** Of fluentd's default chunks of this size. */
const ENTRIES_OF_A_CHUNK = 1000;

/** A file of what clients send for these lines, in the cache: made when it is not there. */
export async function wireFile(wire: Wire, { file, records }: Lines): Promise<string> {
  const target = join(cacheFolder(), `${wire}-${VERSION}-${records}.bin`);
  if (await stat(target).catch(() => null)) return target;
  const temporary = `${target}.${process.pid}`;
  const output = await open(temporary, 'w');
  try {
    let lines: string[] = [];
    let chunk = 0;
    const write = async (): Promise<void> => {
      if (lines.length > 0) await output.write(bytesOf(wire, lines, chunk++));
      lines = [];
    };
    for await (const line of createInterface({ input: createReadStream(file) })) {
      if (lines.push(line) === ENTRIES_OF_A_CHUNK) await write();
    }
    await write();
  } finally {
    await output.close();
  }
  await rename(temporary, target);
  return target;
}

function bytesOf(wire: Wire, lines: readonly string[], chunk: number): Buffer {
  if (wire === 'syslog') return Buffer.concat(lines.map(syslogFrame));
  const entries = Buffer.concat(lines.map((line) => encode([timeOf(line), JSON.parse(line) as object])));
  const isCompressed = wire === 'forward-gzip';
  const options = { size: lines.length, compressed: isCompressed ? 'gzip' : 'text', chunk: `chunk-${chunk}` };
  return Buffer.from(encode(['shop.access', isCompressed ? gzipSync(entries) : entries, options]));
}

/** RFC 5424, counted (RFC 6587), as rsyslog forwards it over TCP. */
function syslogFrame(line: string): Buffer {
  const message = Buffer.from(`<134>1 ${timeText(line)} shop-1.example nginx 4721 - - ${line}`);
  return Buffer.concat([Buffer.from(`${message.length} `), message]);
}

function timeText(line: string): string {
  return line.slice('{"time":"'.length, '{"time":"'.length + '2026-01-01T00:00:00.000Z'.length);
}

function timeOf(line: string): number {
  return Math.floor(Date.parse(timeText(line)) / 1000);
}
