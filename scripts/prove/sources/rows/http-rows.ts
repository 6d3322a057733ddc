import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { clientRow, type Client, type ClientRow, type Sending } from '../client-row.ts';
import { lacks } from '../peers/prepared.ts';
import { program } from '../peers/programs.ts';

const TOKEN = 'a-token-of-the-proof';
const listeners: ClientRow['listeners'] = {
  open: ({ port }) => `http: { listen: '127.0.0.1:${port}' }`,
  basic: ({ port }) =>
    `http: { listen: '127.0.0.1:${port}', auth: { basic: { username: proof, password: 'a password' } } }`,
  bearer: ({ port, certificates: { serverCertificate: cert, serverKey: key } }) =>
    `http: { listen: '127.0.0.1:${port}', auth: { bearer: ${TOKEN} }, tls: { cert: '${cert}', key: '${key}' } }`,
};

const recordsOf = ({ first, count }: Sending): readonly string[] =>
  Array.from({ length: count }, (_each, at) => `{"n":${first + at}}`);
const array = (sending: Sending): Buffer => Buffer.from(`[${recordsOf(sending).join(',')}]`);
const lines = (sending: Sending): Buffer => Buffer.from(`${recordsOf(sending).join('\n')}\n`);

function curl(
  name: string,
  {
    to = 'open',
    body = lines,
    flags = [],
    secure = false,
  }: { to?: string; body?: (sending: Sending) => Buffer; flags?: readonly string[]; secure?: boolean },
): Client {
  return {
    name: `curl ${name}`,
    to,
    send: async (sending) => {
      await mkdir(sending.folder, { recursive: true });
      const file = join(sending.folder, 'body');
      await writeFile(file, body(sending));
      const url = `${secure ? 'https' : 'http'}://localhost:${sending.port}/`;
      const fixed = ['-4', '--silent', '--show-error', '--fail-with-body', '--max-time', '60'];
      const trust = secure ? ['--cacert', sending.certificates.ca] : [];
      const answer = await program('curl', [...fixed, ...trust, ...flags, '--data-binary', `@${file}`, url]);
      if (answer.trim() !== `{"records":${sending.count}}`) throw new Error(`answered ${answer}`);
      return undefined;
    },
  };
}

const type = (contentType: string): readonly string[] => ['-H', `Content-Type: ${contentType}`];

export const httpRows = [
  clientRow({
    name: 'curl',
    component: 'http',
    fault: 'curl: arrays, NDJSON, chunked, gzip, zstd, basic, bearer over TLS',
    records: 5000,
    listeners,
    clients: [
      curl('array', { body: array, flags: type('application/json') }),
      curl('NDJSON', { flags: type('application/x-ndjson') }),
      curl('-d', {}),
      curl('chunked', { flags: [...type('application/x-ndjson'), '-H', 'Transfer-Encoding: chunked'] }),
      curl('gzip', {
        body: (sending) => gzipSync(lines(sending)),
        flags: [...type('application/x-ndjson'), '-H', 'Content-Encoding: gzip'],
      }),
      curl('zstd', {
        body: (sending) => zstdCompressSync(array(sending)),
        flags: [...type('application/json'), '-H', 'Content-Encoding: zstd'],
      }),
      curl('basic', { to: 'basic', flags: [...type('application/x-ndjson'), '-u', 'proof:a password'] }),
      curl('bearer', {
        to: 'bearer',
        secure: true,
        flags: [...type('application/x-ndjson'), '-H', `Authorization: Bearer ${TOKEN}`],
      }),
    ],
    missing: lacks(['curl', 'apt-get install curl']),
  }),
];
