import { encode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { request as httpRequest, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { gzipSync } from 'node:zlib';
import { formField, multipartField } from '../../../connectors/fluentd/http-form.ts';
import { SluiceError } from '../../../src/api/index.ts';
import { listen, stopAll, type Forward } from './support/forward.ts';

afterEach(stopAll);

const json = { 'content-type': 'application/json' };
const ndjson = { 'content-type': 'application/x-ndjson' };
const msgpack = { 'content-type': 'application/msgpack' };
const form = { 'content-type': 'application/x-www-form-urlencoded' };

const inHttp = (
  options: Parameters<typeof listen>[0] = {},
  harnessOptions: Parameters<typeof listen>[1] = {},
): Promise<Forward> => listen({ protocol: 'http', ...options }, harnessOptions);

const multipart = { 'content-type': 'multipart/form-data; boundary="-x"' };
const part = (headers: string, content: string): string => `---x\r\n${headers}\r\n\r\n${content}\r\n`;
const named = (name: string): string => `Content-Disposition: form-data; name="${name}"`;

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

function ask({ port }: Forward, options: RequestOptions, body: string | Buffer = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sending = httpRequest({ host: '127.0.0.1', port, ...options }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => {
        resolve({ status: response.statusCode!, headers: response.headers, text });
      });
    });
    sending.on('error', reject);
    sending.end(body);
  });
}

const post = (
  forward: Forward,
  body: string | Buffer | Uint8Array,
  headers: Record<string, string>,
  path = '/app.log',
): Promise<Answer> =>
  ask(forward, { method: 'POST', path, headers }, typeof body === 'string' ? body : Buffer.from(body));

test.each([
  ['a JSON object', json, '{"n":1}', ['{"n":1}']],
  ['a JSON array', json, '[{"n":1}, {"n": 2}]', ['{"n":1}', '{"n": 2}']],
  ['lines of JSON', ndjson, '{"n":1}\n{"n":2}\n', ['{"n":1}', '{"n":2}']],
  ['a CSP report', { 'content-type': 'application/csp-report' }, '{"csp-report":{}}', ['{"csp-report":{}}']],
  ['a MessagePack map', msgpack, encode({ n: 1 }), ['{"n":1}']],
  ['a MessagePack array', msgpack, encode([{ n: 1 }, { n: 2 }]), ['{"n":1}', '{"n":2}']],
  [
    'MessagePack maps back to back',
    msgpack,
    Buffer.concat([encode({ n: 1 }), encode([{ n: 2 }])]),
    ['{"n":1}', '{"n":2}'],
  ],
  ['a form with JSON', form, `json=${encodeURIComponent('{"n":"ü +&="}')}`, ['{"n":"ü +&="}']],
  ['a form as curl sends it', form, 'json={"n":"a b"}', ['{"n":"a b"}']],
  ['a form with lines of JSON', form, 'x=y&ndjson=%7B%22n%22%3A1%7D%0A%7B%22n%22%3A2%7D', ['{"n":1}', '{"n":2}']],
  [
    'a form with MessagePack',
    form,
    `msgpack=${[...encode({ n: 1 })].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')}`,
    ['{"n":1}'],
  ],
  [
    'a multipart form',
    multipart,
    `${part(named('x'), '')}${part(`${named('json')}; filename="a"\r\nContent-Type: application/json`, '{"n":\r\n1}')}---x--`,
    ['{"n":\r\n1}'],
  ],
  [
    'a multipart form with words before and behind it',
    { 'content-type': 'Multipart/Form-Data; charset=utf-8; boundary=-x' },
    `for people\r\n${part('content-disposition: form-data; name=ndjson', '{"n":1}\n')}---x--\r\n\r\nend`,
    ['{"n":1}'],
  ],
  ['an empty array', json, '[]', []],
] as const)('%s', async (_name, headers, body, values) => {
  const forward = await inHttp();
  expect(await post(forward, body, headers)).toMatchObject({ status: 200, text: '' });
  expect(forward.harness.values).toEqual(values);
  for (const { headers: kept } of forward.harness.records)
    expect(kept.map(([name, value]) => [name, value!.toString()])).toEqual([['fluent.tag', 'app.log']]);
});

test('the path is the tag; tag and time as fields; times of the request, of the form, of the record, of arrival', async () => {
  const forward = await inHttp({ tag_field: 'tag', time_field: 'at' });
  await post(forward, '{"n":1}', json, '/app/web?time=1700000000.5');
  await post(forward, 'json={}&time=1700000001', form, '/app');
  await post(forward, '[{"time":1700000002.25},{"time":"x"}]', json, '/app');
  await post(forward, encode({ time: 1_700_000_003, n: 1 }), msgpack, '/app');
  const { harness } = forward;
  expect(harness.values.slice(0, 3)).toEqual([
    '{"tag":"app.web","at":"2023-11-14T22:13:20.500000000Z","n":1}',
    '{"tag":"app","at":"2023-11-14T22:13:21.000000000Z"}',
    '{"tag":"app","at":"2023-11-14T22:13:22.250000000Z","time":1700000002.25}',
  ]);
  expect(harness.values[4]).toBe('{"tag":"app","at":"2023-11-14T22:13:23.000000000Z","time":1700000003,"n":1}');
  const times = harness.records.map(({ timestamp }) => timestamp);
  expect([times[0], times[1], times[2], times[4]]).toEqual([
    1_700_000_000_500, 1_700_000_001_000, 1_700_000_002_250, 1_700_000_003_000,
  ]);
  expect(Math.abs(times[3]! - Date.now())).toBeLessThan(60_000);
});

test.each([
  ['no JSON', json, '{"n":', 400],
  ['a number', json, '1', 400],
  ['a number among maps', json, '[{"n":1},2]', 400],
  ['depth', json, '['.repeat(100_000), 400],
  ['MessagePack that is cut off', msgpack, Buffer.from('82a16e01', 'hex'), 400],
  ['an array of 2^32 - 1', msgpack, Buffer.from('ddffffffff', 'hex'), 400],
  ['a MessagePack number', msgpack, Buffer.from('01', 'hex'), 400],
  ['MessagePack of depth 10^5', msgpack, Buffer.alloc(100_000, 0x81), 400],
  ['a form without records', form, 'n=1', 400],
  ['a multipart form without records', multipart, `${part(named('n'), '1')}---x--`, 400],
  ['a multipart form that is cut off', multipart, `${part(named('json'), '{}')}---x\r\n${named('n')}\r\n\r\n1`, 400],
  ['a multipart form without its boundary', multipart, named('json'), 400],
  ['a multipart form whose boundary is not said', { 'content-type': 'multipart/form-data' }, '', 400],
  ['a record above the limit', json, `[{"n":1},{"n":"${'x'.repeat(20_000)}"}]`, 413],
  ['another type', { 'content-type': 'text/plain' }, 'x', 415],
  ['a coding that is not known', { ...json, 'content-encoding': 'br' }, 'x', 415],
])('%s is refused in words, and nothing of it is taken', async (_name, headers, body, status) => {
  const forward = await inHttp({}, { maxRecordBytes: 16_384 });
  const answer = await post(forward, body, headers);
  expect(answer.status).toBe(status);
  expect(answer.headers['content-type']).toBe('text/plain');
  expect(answer.text).toMatch(new RegExp(`^${status} .+\\n.+\\n$`));
  expect(forward.harness.emits).toEqual([]);
  expect(forward.harness.pool.usedBytes).toBe(0);
});

test('compressed bodies; a tag that would repeat without end is held against the limit', async () => {
  const forward = await inHttp({ tag_field: 'tag', max_inflated_message: 1024 * 1024 });
  expect((await post(forward, gzipSync('{"n":1}'), { ...json, 'content-encoding': 'gzip' })).status).toBe(200);
  expect((await post(forward, `[${'{},'.repeat(10_000)}{}]`, json, `/${'x'.repeat(8000)}`)).status).toBe(413);
  expect(forward.harness.count).toBe(1);
});

test('health, methods, credentials, back-pressure, and what could not be confirmed', async () => {
  const forward = await inHttp({ auth: { bearer: 'right' } });
  const headers = { ...json, authorization: 'Bearer right' };
  expect(await ask(forward, { path: '/' })).toMatchObject({ status: 200, text: '' });
  expect(await ask(forward, { method: 'OPTIONS' })).toMatchObject({
    status: 405,
    headers: { allow: 'GET, HEAD, POST, PUT' },
  });
  expect((await post(forward, '{}', json)).status).toBe(401);
  forward.harness.accepting = false;
  expect(await post(forward, '{}', headers)).toMatchObject({ status: 429, headers: { 'retry-after': '1' } });
  expect((await ask(forward, { path: '/' })).status).toBe(503);
  forward.harness.accepting = true;
  forward.harness.refuseNext(new SluiceError('LOG_FULL', 'writing', { retryable: true }));
  expect(await post(forward, '{}', headers)).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
  expect((await post(forward, '{}', headers)).status).toBe(200);
  expect(forward.harness.count).toBe(1);
});

test('pages in browsers may not post, with a form neither, unless their origin is named', async () => {
  const origin = 'https://app.example.com';
  const asks = { origin, 'access-control-request-method': 'POST' };
  const closed = await inHttp();
  expect((await post(closed, 'json={}', { ...form, origin })).status).toBe(403);
  expect((await ask(closed, { method: 'OPTIONS', path: '/app', headers: asks })).status).toBe(403);
  expect(closed.harness.count).toBe(0);

  const open = await inHttp({ cors: { origins: [origin], headers: ['Content-Type'], max_age: 600_000 } });
  expect(await ask(open, { method: 'OPTIONS', path: '/app', headers: asks })).toMatchObject({
    status: 204,
    headers: { 'access-control-allow-origin': origin, 'access-control-allow-methods': 'POST, PUT' },
  });
  const forPages = { headers: { 'access-control-allow-origin': origin, vary: 'Origin' } };
  expect(await post(open, 'json={}', { ...form, origin })).toMatchObject({ status: 200, ...forPages });
  expect(await post(open, 'json=', { ...form, origin })).toMatchObject({ status: 400, ...forPages });
  expect((await post(open, 'json={}', { ...form, origin: 'null' })).status).toBe(403);
  expect(open.harness.count).toBe(1);
});

test('whatever a form holds comes back', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
      (text) => {
        const body = Buffer.from(new URLSearchParams({ other: text, json: text }).toString());
        expect(formField(body, 'json')?.toString()).toBe(text);
        expect(formField(body, 'ndjson')).toBeNull();
      },
    ),
  );
});

test('whatever a multipart form holds comes back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 200 }), (other, content) => {
      const boundary = `----${Buffer.from(other).toString('hex')}x`.slice(0, 70);
      const wrapped = (name: string, bytes: Uint8Array): (string | Uint8Array)[] => [
        `--${boundary}\r\n${named(name)}\r\n\r\n`,
        bytes,
        '\r\n',
      ];
      const pieces = [...wrapped('other', other), ...wrapped('msgpack', content), `--${boundary}--\r\n`];
      const body = Buffer.concat(pieces.map((piece) => Buffer.from(piece)));
      const field = multipartField(`multipart/form-data; boundary=${boundary}`);
      expect(field(body, 'msgpack')).toEqual(Buffer.from(content));
      expect(field(body, 'json')).toBeNull();
    }),
  );
});

test('any bytes are taken or refused', async () => {
  const forward = await inHttp();
  const any = fc.oneof(
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    fc.jsonValue().map((value) => Buffer.from(encode(value))),
    fc.json().map((text) => Buffer.from(text)),
    fc.string().map((text) => Buffer.from(`${part(named('json'), text)}---x--`)),
  );
  await fc.assert(
    fc.asyncProperty(any, fc.constantFrom(json, ndjson, msgpack, form, multipart), async (body, headers) => {
      expect([200, 400]).toContain((await post(forward, body, headers)).status);
      expect(forward.harness.pool.usedBytes).toBe(0);
    }),
    { numRuns: 300 },
  );
  for (const value of forward.harness.values) JSON.parse(value);
}, 60_000);
