import type { ConnectionOptions, TLSSocket } from 'node:tls';
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
          'SHA-256 of the certificate of the server: this one is trusted and no other, whoever signed it and whatever its name.',
      }),
    ),
  },
  { additionalProperties: false, description: 'How to talk TLS, 1.2 at least.' },
);

export type PinnedTlsOptions = Static<typeof pinnedTlsOptions>;

/** What the schema cannot say. */
export function pinnedTlsProblems(options: PinnedTlsOptions, at: readonly string[]): readonly OptionProblem[] {
  const problems = [...clientTlsProblems(options, at)];
  const { fingerprint, ca, server_name: name, insecure_skip_verify: skips } = options;
  if (fingerprint === undefined) return problems;
  for (const [option, isGiven] of Object.entries({ ca, server_name: name, insecure_skip_verify: skips })) {
    if (isGiven === undefined || isGiven === false) continue;
    const message = `\`fingerprint\` trusts one certificate, so \`${option}\` has no effect; leave one of them out`;
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
  // Who signed it does not matter; whoever connects has to compare.
  return { connection: { ...connection, rejectUnauthorized: false }, fingerprint: bytes.join(':') };
}

/** Null when the peer showed the certificate that is trusted. */
export function pinFault(socket: TLSSocket, fingerprint: string): string | null {
  const { fingerprint256: shown } = socket.getPeerCertificate();
  if (shown === fingerprint) return null;
  return `the certificate has the fingerprint ${shown}, not that of \`tls.fingerprint\``;
}
