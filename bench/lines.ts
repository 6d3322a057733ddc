import { mkdir, open, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { cacheFolder } from './folders.ts';

/** What stands in the name of a cached file: a change of the lines makes it another one. */
const VERSION = 2;
const CHUNK_LINES = 4000;

export interface Lines {
  readonly file: string;
  readonly records: number;
  readonly bytes: number;
  /** How many have a `status` of 500 or more. */
  readonly failures: number;
}

/** A file of so many access-log lines in the cache: made when it is not there, always the same. Shorter ones are the beginning of longer ones. */
export async function linesFile(records: number): Promise<Lines> {
  const folder = cacheFolder();
  const file = join(folder, `access-${VERSION}-${records}.log`);
  const about = `${file}.json`;
  try {
    const lines = JSON.parse(await readFile(about, 'utf8')) as Lines;
    if ((await stat(file)).size === lines.bytes) return lines;
  } catch {
    // Not made yet.
  }
  await mkdir(folder, { recursive: true });
  const temporary = `${file}.${process.pid}`;
  const output = await open(temporary, 'w');
  const source = new AccessLog();
  let bytes = 0;
  try {
    for (let done = 0; done < records; done += CHUNK_LINES) {
      const text = Buffer.from(source.next(Math.min(CHUNK_LINES, records - done)), 'latin1');
      bytes += text.length;
      await output.write(text);
      await breathe();
    }
  } finally {
    await output.close();
  }
  await rename(temporary, file);
  const lines: Lines = { file, records, bytes, failures: source.failures };
  await writeFile(about, JSON.stringify(lines));
  return lines;
}

const METHODS = ['GET', 'GET', 'GET', 'GET', 'GET', 'POST', 'PUT', 'DELETE'];
const SECTIONS = ['products', 'orders', 'users', 'carts', 'search', 'images', 'reviews', 'sessions'];
const STATUSES = [200, 200, 200, 200, 200, 200, 200, 200, 201, 204, 301, 302, 304, 304, 400, 401, 403, 404, 404];
const FAILURES = [500, 502, 503, 504];
const SYSTEMS = [
  'Windows NT 10.0; Win64; x64',
  'Macintosh; Intel Mac OS X 10_15_7',
  'X11; Linux x86_64',
  'iPhone; CPU iPhone OS 18_5 like Mac OS X',
];
const START_MS = Date.UTC(2026, 0, 1);

/** Requests of a shop as JSON, about 300 bytes each, no two alike. */
export class AccessLog {
  failures = 0;
  #state = 0x2545f491;
  #index = 0;

  /** So many further lines, each with its line feed. */
  next(count: number): string {
    let text = '';
    for (let made = 0; made < count; made++) text += this.#line(this.#index++);
    return text;
  }

  #line(index: number): string {
    const a = this.#random();
    const b = this.#random();
    const c = this.#random();
    const isFailure = a % 25 === 0;
    if (isFailure) this.failures++;
    const status = isFailure ? FAILURES[b & 3]! : STATUSES[b % STATUSES.length]!;
    // Seven requests in ten milliseconds: times rise as in a log, and the day changes within the file.
    const time = new Date(START_MS + Math.floor(index * 1.43) + (c & 1)).toISOString();
    const section = SECTIONS[(a >>> 5) & 7]!;
    return (
      `{"time":"${time}","host":"shop-${c & 15}.example","client":"10.${(b >>> 8) & 15}.${(b >>> 12) & 255}.${(b >>> 20) & 255}",` +
      `"method":"${METHODS[(a >>> 8) & 7]!}","path":"/api/v1/${section}/${a >>> 12}?page=${c & 31}","status":${status},` +
      `"bytes":${(c >>> 5) % 50_000},"duration_ms":${((c >>> 9) % 9000) / 10},"user":"user-${(b >>> 3) % 20_000}",` +
      `"agent":"Mozilla/5.0 (${SYSTEMS[(c >>> 3) & 3]!}) Chrome/14${c & 7}.0.0.0","request":"${hex(a)}${hex(b)}"}\n`
    );
  }

  /** xorshift32: 32 bits, never 0. */
  #random(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return state >>> 0;
  }
}

function hex(number: number): string {
  return number.toString(16).padStart(8, '0');
}
