import { createHmac, timingSafeEqual } from 'node:crypto';
import { duration, secret, Type, type Static } from '../api/index.ts';
import { headerName } from './header-name.ts';

/** Options of listeners whose clients sign what they send with a secret that both know. */
export const signatureOptions = Type.Object(
  {
    scheme: Type.Union([Type.Literal('github'), Type.Literal('stripe'), Type.Literal('plain')], {
      description:
        '`github`: `X-Hub-Signature-256`. `stripe`: `Stripe-Signature`, with the time in it. `plain`: as the options below say.',
    }),
    secrets: Type.Array(secret({ description: 'A secret that clients sign with.' }), {
      minItems: 1,
      maxItems: 10,
      description: 'Any of them will do: the old one and the new, while a secret is changed.',
    }),
    tolerance: duration({
      default: '5m',
      minimum: '1s',
      maximum: '1d',
      description: 'How far the time of a `stripe` signature may be from now.',
    }),
    header: Type.String({
      default: 'X-Signature',
      pattern: headerName,
      maxLength: 256,
      description: 'Where `plain` finds the signature.',
    }),
    prefix: Type.String({ default: '', maxLength: 100, description: 'What stands before it there: `sha256=`.' }),
    algorithm: Type.Union(
      [Type.Literal('sha1'), Type.Literal('sha256'), Type.Literal('sha384'), Type.Literal('sha512')],
      {
        default: 'sha256',
        description: 'The hash of the `plain` HMAC.',
      },
    ),
    encoding: Type.Union([Type.Literal('hex'), Type.Literal('base64')], {
      default: 'hex',
      description: 'How the `plain` signature is written.',
    }),
  },
  {
    additionalProperties: false,
    description: 'Serve requests whose body, as it was sent, is signed with one of these secrets (HMAC).',
  },
);

export type SignatureOptions = Static<typeof signatureOptions>;

type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Says what is wrong with a signature; null when it is right. The time that it takes does not depend on how much of it is right. */
export interface SignatureCheck {
  /** The header that carries the signature, in lower case. */
  readonly header: string;
  fault(headers: RequestHeaders, body: Uint8Array, nowMs: number): string | null;
}

interface Signed {
  readonly algorithm: string;
  /** What stands before the body in what was signed. */
  readonly before: string;
  /** Any of them may be right. */
  readonly candidates: readonly Buffer[];
}

/** How many signatures one header may hold: each costs a comparison. */
const MAX_CANDIDATES = 10;

export function signatureCheck(options: SignatureOptions): SignatureCheck {
  const [header, parse] = schemeOf(options);
  return {
    header,
    fault: (headers, body, nowMs) => {
      const text = headers[header];
      if (typeof text !== 'string') return `the header ${header} is missing`;
      const signed = parse(text, nowMs);
      if (typeof signed === 'string') return signed;
      return isSigned(signed, body, options.secrets) ? null : `the signature in ${header} is not that of this body`;
    },
  };
}

function isSigned({ algorithm, before, candidates }: Signed, body: Uint8Array, secrets: readonly string[]): boolean {
  let found = false;
  for (const key of secrets) {
    const expected = createHmac(algorithm, key).update(before).update(body).digest();
    for (const candidate of candidates.slice(0, MAX_CANDIDATES))
      if (candidate.length === expected.length && timingSafeEqual(candidate, expected)) found = true;
  }
  return found;
}

type Parse = (text: string, nowMs: number) => Signed | string;

function schemeOf(options: SignatureOptions): [header: string, parse: Parse] {
  switch (options.scheme) {
    case 'github':
      return ['x-hub-signature-256', prefixed({ ...options, prefix: 'sha256=', algorithm: 'sha256', encoding: 'hex' })];
    case 'stripe':
      return ['stripe-signature', (text, nowMs) => stripeSignature(text, nowMs, options.tolerance)];
    case 'plain':
      return [options.header.toLowerCase(), prefixed(options)];
  }
}

function prefixed({ prefix, algorithm, encoding }: Pick<SignatureOptions, 'prefix' | 'algorithm' | 'encoding'>): Parse {
  return (text) => {
    if (!text.startsWith(prefix)) return `the signature does not begin with ${JSON.stringify(prefix)}`;
    return { algorithm, before: '', candidates: [Buffer.from(text.slice(prefix.length).trim(), encoding)] };
  };
}

/** `t=1492774577,v1=5257…,v1=…,v0=…`; signed is the time, a full stop and the body (Stripe, "Verify webhook signatures manually"). */
function stripeSignature(text: string, nowMs: number, toleranceMs: number): Signed | string {
  let time: string | null = null;
  const candidates: Buffer[] = [];
  for (const part of text.split(',')) {
    const [name, value = ''] = part.trim().split('=', 2);
    if (name === 't') time ??= value;
    else if (name === 'v1') candidates.push(Buffer.from(value, 'hex'));
  }
  if (time === null || !/^\d{1,12}$/.test(time)) return 'the signature holds no time (t=…)';
  if (Math.abs(nowMs - Number(time) * 1000) > toleranceMs) return 'the time of the signature is too far from now';
  if (candidates.length === 0) return 'the signature holds none of the scheme v1';
  return { algorithm: 'sha256', before: `${time}.`, candidates };
}
