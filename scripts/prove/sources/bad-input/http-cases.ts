import { createHmac } from 'node:crypto';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import type { BadCase } from './bad-case.ts';

const MEBIBYTE = 1024 * 1024;
const head = (lines: string): string => `POST / HTTP/1.1\r\nHost: proof\r\n${lines}\r\n`;
const json = (body: Buffer | string, lines = ''): Buffer =>
  Buffer.concat([
    Buffer.from(head(`Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${lines}`)),
    Buffer.from(body),
  ]);
/** Made when it is asked for, once. */
let spaces: Buffer | undefined;
const bomb = (): Buffer => (spaces ??= Buffer.alloc(200 * MEBIBYTE, ' '));
const deep = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;

/** Answered with one of these statuses, and once. */
function refused(name: string, statuses: readonly number[], bytes: () => Buffer | string): BadCase {
  return {
    name,
    bytes: () => Buffer.from(bytes()),
    how: { isWhole: (text) => text.includes('\r\n\r\n') },
    isRight: ({ text }) => {
      const found = [...text.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => Number(status));
      return found.length === 1 && statuses.includes(found[0]!);
    },
  };
}

function taken(name: string, bytes: () => Buffer): BadCase {
  return { ...refused(name, [200], bytes), records: 1 };
}

export const httpCases: readonly BadCase[] = [
  refused('brotli that becomes 200 MiB', [413, 415], () =>
    json(brotliCompressSync(bomb()), 'Content-Encoding: br\r\n'),
  ),
  refused('gzip that becomes 200 MiB', [413], () => json(gzipSync(bomb()), 'Content-Encoding: gzip\r\n')),
  refused('zstd that becomes 200 MiB', [413], () => json(zstdCompressSync(bomb()), 'Content-Encoding: zstd\r\n')),
  refused('gzip in gzip', [400], () => json(gzipSync(gzipSync('{}')), 'Content-Encoding: gzip\r\n')),
  refused('two codings', [415], () => json(gzipSync(gzipSync('{}')), 'Content-Encoding: gzip, gzip\r\n')),
  refused('gzip that ends too soon', [400], () =>
    json(gzipSync('{"a":1}').subarray(0, 15), 'Content-Encoding: gzip\r\n'),
  ),
  refused('65 levels', [400], () => json(deep(65))),
  refused('a million levels', [400], () => json(deep(1_000_000))),
  refused('100,000 names', [400], () =>
    json(`{${Array.from({ length: 100_000 }, (_each, at) => `"${at.toString(36)}":1`).join(',')}}`),
  ),
  refused('bytes that are no UTF-8', [400], () => json(Buffer.from([0x22, 0xff, 0xfe, 0x22]))),
  refused('a body without an end', [400], () => json('{"a":')),
  refused('Content-Length and Transfer-Encoding', [400], () =>
    head('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n').concat('0\r\n\r\n'),
  ),
  refused('two Content-Length', [400], () => head('Content-Length: 5\r\nContent-Length: 6\r\n').concat('hello')),
  refused('a bare line feed', [400], () => head('X-A: 1\nContent-Length: 2\r\n').concat('{}')),
  refused('a folded header', [400], () => head('X-A: 1\r\n folded\r\nContent-Length: 2\r\n').concat('{}')),
  refused('1 GB announced', [413], () => head('Content-Length: 1000000000\r\n')),
  refused('a header of 10 MB', [431], () =>
    head(`X-A: ${'a'.repeat(10_000_000)}\r\nContent-Length: 2\r\n`).concat('{}'),
  ),
  refused('100,000 headers', [431], () =>
    head(`${Array.from({ length: 100_000 }, (_each, at) => `x${at}: 1\r\n`).join('')}Content-Length: 2\r\n`).concat(
      '{}',
    ),
  ),
  refused('another path', [404], () => 'POST /../../etc/passwd HTTP/1.1\r\nHost: proof\r\nContent-Length: 2\r\n\r\n{}'),
  refused('no HTTP at all', [400], () => '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'),
  {
    name: 'half a chunked body, and gone',
    bytes: () =>
      Buffer.from(
        head('Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n').concat('8\r\n{"n":0}\n'),
      ),
    how: { leaves: true },
    isRight: () => true,
  },
  taken('names that prototypes have', () => json('{"__proto__":{"x":1},"constructor":{"prototype":{"y":2}}}')),
  taken('a name twice, half a pair, a number beyond 2^53', () =>
    json('{"a":1,"a":2,"s":"\\ud800","n":9007199254740993}'),
  ),
  taken('X-Forwarded-Host and dead-letter headers of a client', () =>
    json('{"a":1}', 'X-Forwarded-Host: evil\r\n__connect.errors.topic: evil\r\n'),
  ),
];

/** At a listener with a token. */
export const tokenCases: readonly BadCase[] = [
  refused('no token', [401], () => json('{}')),
  refused('a wrong token', [401], () => json('{}', 'Authorization: Bearer wrong\r\n')),
  refused('a token of 1 MB', [401, 431], () => json('{}', `Authorization: Bearer ${'x'.repeat(MEBIBYTE)}\r\n`)),
];

/** "Validating webhook deliveries" of GitHub's documents: this secret, this body, this signature. */
export const githubSecret = "It's a Secret to Everybody";
const GITHUB_BODY = 'Hello, World!';
const GITHUB_SIGNATURE = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
export const stripeSecret = 'whsec_of_the_proof';

const text = (body: string, lines: string): Buffer =>
  Buffer.from(head(`Content-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${lines}`).concat(body));
const github = (body: string, signature: string): Buffer => text(body, `X-Hub-Signature-256: ${signature}\r\n`);

/** As "Verify webhook signatures manually" of Stripe's documents has it. */
function stripe(body: string, secondsAgo = 0): Buffer {
  const time = Math.floor(Date.now() / 1000) - secondsAgo;
  const signature = createHmac('sha256', stripeSecret).update(`${time}.${body}`).digest('hex');
  return text(body, `Stripe-Signature: t=${time},v1=${signature},v0=${'0'.repeat(64)}\r\n`);
}

export const githubCases: readonly BadCase[] = [
  taken("the example of GitHub's documents", () => github(GITHUB_BODY, GITHUB_SIGNATURE)),
  refused('another body under its signature', [401, 403], () => github('Hello, World?', GITHUB_SIGNATURE)),
  refused('no signature', [401, 403], () => text(GITHUB_BODY, '')),
];

export const stripeCases: readonly BadCase[] = [
  taken('signed as Stripe does', () => stripe('{"id":"evt_1"}')),
  refused('signed an hour ago', [401, 403], () => stripe('{"id":"evt_1"}', 3600)),
  refused('a signature that is none', [401, 403], () => text('{}', 'Stripe-Signature: t=now\r\n')),
];
