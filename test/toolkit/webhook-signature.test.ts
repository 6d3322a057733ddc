import { createHmac } from 'node:crypto';
import { signatureCheck, type SignatureOptions } from '../../src/toolkit/index.ts';

const options = (given: Partial<SignatureOptions>): SignatureOptions => ({
  scheme: 'plain',
  secrets: ['secret'],
  tolerance: 300_000,
  header: 'X-Signature',
  prefix: '',
  algorithm: 'sha256',
  encoding: 'hex',
  ...given,
});
const hmac = (key: string, text: string, algorithm = 'sha256', encoding: 'hex' | 'base64' = 'hex'): string =>
  createHmac(algorithm, key).update(text).digest(encoding);
const body = Buffer.from('{"id":1}');

test("the example of GitHub's documents", () => {
  const check = signatureCheck(options({ scheme: 'github', secrets: ["It's a Secret to Everybody"] }));
  const headers = { 'x-hub-signature-256': 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17' };
  expect(check.fault(headers, Buffer.from('Hello, World!'), 0)).toBeNull();
  expect(check.fault(headers, Buffer.from('Hello, World?'), 0)).toBe(
    'the signature in x-hub-signature-256 is not that of this body',
  );
  expect(check.fault({}, Buffer.from(''), 0)).toBe('the header x-hub-signature-256 is missing');
  expect(check.fault({ 'x-hub-signature-256': 'sha1=00' }, body, 0)).toBe(
    'the signature does not begin with "sha256="',
  );
});

describe("Stripe's scheme", () => {
  const check = signatureCheck(options({ scheme: 'stripe', secrets: ['whsec_old', 'whsec_new'] }));
  const now = 1_492_774_577_000;
  const fault = (signature: string, nowMs = now): string | null =>
    check.fault({ 'stripe-signature': signature }, body, nowMs);
  const v1 = (key: string): string => hmac(key, `1492774577.${body.toString()}`);

  test.each(['whsec_old', 'whsec_new'])('signed with %s', (key) => {
    expect(
      fault(`t=1492774577,v1=${v1(key)},v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39`),
    ).toBeNull();
  });

  test('one of several signatures will do, as while a secret is changed', () => {
    expect(fault(`t=1492774577,v1=${v1('other')},v1=${v1('whsec_new')}`)).toBeNull();
  });

  test('an old signature, a later time, and those without', () => {
    const right = `v1=${v1('whsec_new')}`;
    expect(fault(`t=1492774577,${right}`, now + 299_000)).toBeNull();
    expect(fault(`t=1492774577,${right}`, now + 301_000)).toBe('the time of the signature is too far from now');
    expect(fault(`t=1492774578,${right}`)).toBe('the signature in stripe-signature is not that of this body');
    expect(fault(right)).toBe('the signature holds no time (t=…)');
    expect(fault('t=1492774577,v0=00')).toBe('the signature holds none of the scheme v1');
    expect(fault(`t=1492774577,v1=${'zz'.repeat(32)}`)).toBe(
      'the signature in stripe-signature is not that of this body',
    );
  });
});

test.each([
  ['sha1', 'hex'],
  ['sha256', 'base64'],
  ['sha512', 'hex'],
] as const)('a plain signature: %s, %s', (algorithm, encoding) => {
  const check = signatureCheck(options({ header: 'X-Sign', prefix: 'v=', algorithm, encoding }));
  const right = `v=${hmac('secret', body.toString(), algorithm, encoding)}`;
  expect(check.header).toBe('x-sign');
  expect(check.fault({ 'x-sign': right }, body, 0)).toBeNull();
  expect(check.fault({ 'x-sign': right.slice(0, -2) }, body, 0)).not.toBeNull();
  expect(check.fault({ 'x-sign': 'v=' }, body, 0)).not.toBeNull();
});
