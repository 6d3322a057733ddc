import type { ConnectionOptions } from 'node:tls';
import { Type, type OptionProblem, type Static } from '../api/index.ts';
import { clientTlsOptions, clientTlsProblems, loadClientTls } from './client-tls.ts';

/** Options of clients of HTTP that speak TLS: those of all clients, and a certificate that is known beforehand. */
export const pinnedTlsOptions = Type.Object(
  {
    ...clientTlsOptions.properties,
    fingerprint: Type.Optional(
      Type.String({
        pattern: '^([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$',
        description:
          'SHA-256 of a certificate, instead of `ca`: that of the server, which is trusted then whoever signed it and whatever its name; or that of the authority, where the server sends it along, as Elasticsearch does and prints it at its first start.',
      }),
    ),
  },
  { additionalProperties: false, description: 'How to talk TLS, 1.2 at least.' },
);

export type PinnedTlsOptions = Static<typeof pinnedTlsOptions>;

/** What the schema cannot say. */
export function pinnedTlsProblems(options: PinnedTlsOptions, at: readonly string[]): readonly OptionProblem[] {
  const problems = [...clientTlsProblems(options, at)];
  const { fingerprint, ca, insecure_skip_verify: skips } = options;
  if (fingerprint === undefined) return problems;
  for (const [option, isGiven] of Object.entries({ ca, insecure_skip_verify: skips })) {
    if (isGiven === undefined || isGiven === false) continue;
    const message = `\`fingerprint\` says who is trusted, so \`${option}\` has no effect; leave one of them out`;
    problems.push({ path: [...at, option], message });
  }
  return problems;
}

export interface PinnedTls {
  readonly connection: ConnectionOptions;
  /** In upper case with colons, as Node.js shows it; null when authorities decide. */
  readonly fingerprint: string | null;
}

/** Throws `OPTION_INVALID` naming a file that cannot be used. */
export async function loadPinnedTls(options: PinnedTlsOptions): Promise<PinnedTls> {
  const { fingerprint, ...rest } = options;
  const connection = await loadClientTls(rest);
  if (fingerprint === undefined) return { connection, fingerprint: null };
  const bytes = fingerprint.toUpperCase().replaceAll(':', '').match(/../g)!;
  // Who is trusted is not known to OpenSSL; whoever connects has to ask `pinFault`.
  return { connection: { ...connection, rejectUnauthorized: false }, fingerprint: bytes.join(':') };
}
