import type { SourceOptions } from '../../../connectors/http/options.ts';
import { listen, stopAll } from './support/listener.ts';

afterEach(stopAll);

type CorsOptions = NonNullable<SourceOptions['cors']>;
const cors = (...origins: string[]): CorsOptions => ({ origins, headers: ['Content-Type', 'X-Own'], max_age: 600_000 });
const page = 'https://app.example.com';
const asks = { origin: page, 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-own' };

test('pages may not post unless their origin is named', async () => {
  const { post, ask, harness } = await listen();
  const refused = await post('{"a":1}', { 'content-type': 'text/plain', origin: 'http://evil.example' });
  expect(refused).toMatchObject({ status: 403, body: { error: expect.stringContaining('`cors`') as string } });
  expect(refused.headers['access-control-allow-origin']).toBeUndefined();
  expect((await ask({ method: 'OPTIONS', path: '/', headers: asks })).status).toBe(403);
  expect((await ask({ method: 'OPTIONS', path: '/' })).status).toBe(405);
  expect(harness.count).toBe(0);
});

test('a browser that asks first is told what a page may do, without credentials', async () => {
  const { ask } = await listen({ cors: cors(page), auth: { bearer: 'token' } });
  const answer = await ask({ method: 'OPTIONS', path: '/', headers: asks });
  expect(answer).toMatchObject({
    status: 204,
    headers: {
      'access-control-allow-origin': page,
      'access-control-allow-methods': 'POST, PUT',
      'access-control-allow-headers': 'Content-Type, X-Own',
      'access-control-max-age': '600',
      vary: 'Origin',
    },
  });
  expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
  expect((await ask({ method: 'OPTIONS', path: '/', headers: { ...asks, origin: 'https://other' } })).status).toBe(403);
  expect((await ask({ method: 'OPTIONS', path: '/nowhere', headers: asks })).status).toBe(404);
});

test('a page can read its answer, a refusal too; others are served as ever', async () => {
  const { post, harness } = await listen({ cors: cors(page), auth: { bearer: 'token' } });
  const authorization = 'Bearer token';
  const taken = await post('{"a":1}', { origin: page, authorization });
  expect(taken).toMatchObject({ status: 200, headers: { 'access-control-allow-origin': page, vary: 'Origin' } });
  expect(await post('{"a":1}', { origin: page })).toMatchObject({
    status: 401,
    headers: { 'access-control-allow-origin': page },
  });
  expect((await post('{"a":1}', { origin: `${page}.evil`, authorization })).status).toBe(403);
  const plain = await post('{"a":2}', { authorization });
  expect(plain.status).toBe(200);
  expect(plain.headers.vary).toBeUndefined();
  expect(harness.values).toEqual(['{"a":1}', '{"a":2}']);
});

test('a route has its own pages; a star stands for all of them', async () => {
  const { ask } = await listen({ cors: cors(page), routes: [{ path: '/few' }, { path: '/all', cors: cors('*') }] });
  const status = async (path: string, origin: string): Promise<number> =>
    (await ask({ method: 'POST', path, headers: { origin } }, '1')).status;
  expect([await status('/few', page), await status('/few', 'null')]).toEqual([200, 403]);
  expect([await status('/all', page), await status('/all', 'null')]).toEqual([200, 200]);
});
