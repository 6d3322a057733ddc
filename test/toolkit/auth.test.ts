import { createAuthenticator } from '../../src/toolkit/index.ts';

const basicHeader = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

test.each([
  [undefined, false],
  ['', false],
  ['Basic', false],
  ['Basic ', false],
  ['Basic !!!', false],
  [basicHeader('me:secret'), true],
  [basicHeader('me:secret').replace('Basic', 'bAsIc'), true],
  [`${basicHeader('me:secret')}  `, true],
  [basicHeader('me:secret '), false],
  [basicHeader('me:'), false],
  [basicHeader(':secret'), false],
  [basicHeader('Me:secret'), false],
  [`${basicHeader('me:secret')} more`, false],
  ['Bearer secret', false],
  [`Bearer ${'x'.repeat(1_000_000)}`, false],
])('basic credentials: %.40s is accepted: %s', (header, isAccepted) => {
  const authenticator = createAuthenticator({ basic: { username: 'me', password: 'secret' } });
  expect(authenticator.accepts(header)).toBe(isAccepted);
  expect(authenticator.challenge).toBe('Basic realm="sluice", charset="UTF-8"');
});

test.each([
  ['Bearer token', true],
  ['bearer  token', true],
  ['Bearer tokens', false],
  ['Bearer toke', false],
  ['Bearer', false],
  ['token', false],
  [basicHeader('me:token'), false],
])('a bearer token: %s is accepted: %s', (header, isAccepted) => {
  const authenticator = createAuthenticator({ bearer: 'token' });
  expect(authenticator.accepts(header)).toBe(isAccepted);
  expect(authenticator.challenge).toBe('Bearer realm="sluice"');
});

test('the time does not tell how much of a token is right', () => {
  const token = 'a'.repeat(64);
  const { accepts } = createAuthenticator({ bearer: token });
  const candidates = [`${token.slice(1)}b`, `b${token.slice(1)}`, 'b'.repeat(64)].map((text) => `Bearer ${text}`);
  const medians = candidates.map((header) => {
    const times: number[] = [];
    for (let round = 0; round < 2000; round++) {
      const started = process.hrtime.bigint();
      accepts(header);
      times.push(Number(process.hrtime.bigint() - started));
    }
    return times.sort((a, b) => a - b)[1000]!;
  });
  // Digests are compared, so that at most the noise of the machine differs.
  expect(Math.max(...medians)).toBeLessThan(3 * Math.min(...medians));
});
