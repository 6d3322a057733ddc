import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OAuthTokens } from '../../src/kafka/oauth-token.ts';
import { FastClock } from '../pipeline/support/clock.ts';

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

let handle: Handler;
let asked = 0;
const server = createServer((request, response) => {
  asked++;
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString()));
  request.on('end', () => {
    handle(request, response, body);
  });
});

beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => (asked = 0));

function tokens(clock = new FastClock(), signal = new AbortController().signal): OAuthTokens {
  const { port } = server.address() as AddressInfo;
  const oauth = {
    token_endpoint: `http://127.0.0.1:${port}/token?k=v`,
    client_id: 'a:b',
    client_secret: 's/cret',
    scope: 'kafka',
  };
  return new OAuthTokens({ mechanism: 'oauthbearer', oauth, insecure_without_tls: true }, clock, signal);
}

function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json;charset=UTF-8' });
  response.end(JSON.stringify(value));
}

async function failure(): Promise<Error & { code: string; retryable: boolean }> {
  const error: unknown = await tokens()
    .get()
    .catch((reason: unknown) => reason);
  return error as Error & { code: string; retryable: boolean };
}

test('asks by client credentials, as RFC 6749 writes them', async () => {
  let seen = '';
  handle = ({ method, headers }, response, body) => {
    seen = `${method} ${headers.authorization} ${headers['content-type']} ${body}`;
    json(response, { access_token: 'abc', token_type: 'Bearer', expires_in: 60 });
  };
  expect(await tokens().get()).toBe('abc');
  const basic = Buffer.from('a%3Ab:s%2Fcret').toString('base64');
  expect(seen).toBe(
    `POST Basic ${basic} application/x-www-form-urlencoded;charset=UTF-8 grant_type=client_credentials&scope=kafka`,
  );
});

test('keeps a token, renews it before it expires, and uses it to its end while the endpoint is away', async () => {
  const clock = new FastClock();
  const source = tokens(clock);
  handle = (_request, response) => {
    json(response, { access_token: `token-${asked}`, expires_in: 100 });
  };
  expect(await Promise.all([source.get(), source.get()])).toEqual(['token-1', 'token-1']);
  clock.skip(60_000);
  expect(await source.get()).toBe('token-1');
  clock.skip(15_000);
  expect(await source.get()).toBe('token-2');
  handle = (_request, response) => {
    json(response, {}, 503);
  };
  clock.skip(90_000);
  expect(await source.get()).toBe('token-2');
  clock.skip(20_000);
  await expect(source.get()).rejects.toMatchObject({ code: 'KAFKA_UNREACHABLE', retryable: true });
});

test('gives the token of the settings as it is', async () => {
  const sasl = { mechanism: 'oauthbearer', token: 'given', insecure_without_tls: false } as const;
  expect(await new OAuthTokens(sasl, new FastClock(), new AbortController().signal).get()).toBe('given');
});

test.each<[string, Handler, object, RegExp]>([
  [
    'a refusal',
    (_request, response) => {
      json(response, { error: 'invalid_client', error_description: 's/cret is wrong' }, 401);
    },
    { code: 'KAFKA_CREDENTIALS', retryable: false },
    /127\.0\.0\.1:\d+: HTTP 401 \(invalid_client\)$/,
  ],
  [
    'an answer that is no JSON',
    (_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('{"access_token":"x"}'),
    { code: 'KAFKA_CREDENTIALS' },
    /not a token in JSON/,
  ],
  [
    'an answer without a token',
    (_request, response) => {
      json(response, { access_token: 7 });
    },
    { code: 'KAFKA_CREDENTIALS' },
    /not a token in JSON/,
  ],
  [
    'an answer without end',
    (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const more = (): void => {
        if (!response.destroyed) response.write(Buffer.alloc(16 * 1024, 0x20), more);
      };
      more();
    },
    { code: 'KAFKA_CREDENTIALS' },
    /longer than 64 KiB/,
  ],
  [
    'a redirect, which would carry the secret elsewhere',
    (_request, response) => response.writeHead(307, { location: '/elsewhere' }).end(),
    { code: 'KAFKA_UNREACHABLE', retryable: true },
    /cannot be reached, or redirects/,
  ],
  [
    'a broken answer',
    (request) => request.socket.destroy(),
    { code: 'KAFKA_UNREACHABLE', retryable: true },
    /cannot be reached, or redirects/,
  ],
])('tells %s, without the secret', async (_name, handler, expected, words) => {
  handle = handler;
  const error = await failure();
  expect(error).toMatchObject(expected);
  expect(error.message).toMatch(words);
  expect(error.message).not.toContain('cret is');
  expect(error.message).not.toContain('k=v');
  expect(asked).toBe(1);
});

test('ends with its signal', async () => {
  handle = () => undefined;
  const controller = new AbortController();
  const waiting = tokens(new FastClock(), controller.signal).get();
  controller.abort(new Error('closed'));
  await expect(waiting).rejects.toThrow('closed');
});
