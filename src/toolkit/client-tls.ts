import { createSecureContext, type ConnectionOptions } from 'node:tls';
import {
  SluiceError,
  Type,
  path,
  secret,
  type ConnectorContext,
  type OptionProblem,
  type Static,
} from '../api/index.ts';
import { readPem } from './tls.ts';

const MINUTE_MS = 60_000;

/** Options of clients that speak TLS. */
export const clientTlsOptions = Type.Object(
  {
    ca: Type.Optional(
      path({ description: 'PEM file with the authorities to trust, instead of those that Node.js brings.' }),
    ),
    cert: Type.Optional(path({ description: 'PEM file with the certificate of this client.' })),
    key: Type.Optional(path({ description: 'PEM file with its private key.' })),
    passphrase: Type.Optional(secret({ description: 'What decrypts the private key.' })),
    server_name: Type.Optional(
      Type.String({ minLength: 1, description: 'The name that certificates must carry, instead of the host.' }),
    ),
    insecure_skip_verify: Type.Boolean({
      default: false,
      description: 'Talk to whoever answers. A warning says so every minute.',
    }),
  },
  { additionalProperties: false, description: 'How to talk TLS, 1.2 at least.' },
);

export type ClientTlsOptions = Static<typeof clientTlsOptions>;

/** What the schema cannot say. `at` is where the options stand. */
export function clientTlsProblems(
  { cert, key, passphrase, ca, insecure_skip_verify: skips }: ClientTlsOptions,
  at: readonly string[],
): readonly OptionProblem[] {
  const problem = (option: string, message: string): OptionProblem => ({ path: [...at, option], message });
  const problems: OptionProblem[] = [];
  if (cert !== undefined && key === undefined)
    problems.push(problem('cert', '`cert` needs `key` beside it: the private key of that certificate'));
  if (key !== undefined && cert === undefined)
    problems.push(problem('key', '`key` needs `cert` beside it: the certificate of that key'));
  if (passphrase !== undefined && key === undefined)
    problems.push(problem('passphrase', '`passphrase` decrypts a private key, and there is no `key`'));
  if (skips && ca !== undefined)
    problems.push(problem('insecure_skip_verify', '`insecure_skip_verify` makes `ca` useless; leave one of them out'));
  return problems;
}

/** What a connection is made with. Throws `OPTION_INVALID` naming the file that cannot be used. */
export async function loadClientTls(options: ClientTlsOptions): Promise<ConnectionOptions> {
  const { ca, cert, key, passphrase, server_name: servername, insecure_skip_verify: skips } = options;
  const context = {
    minVersion: 'TLSv1.2' as const,
    ...(ca === undefined ? {} : { ca: await readPem(ca, 'authorities') }),
    ...(cert === undefined ? {} : { cert: await readPem(cert, 'certificate') }),
    ...(key === undefined ? {} : { key: await readPem(key, 'private key') }),
    ...(passphrase === undefined ? {} : { passphrase }),
  };
  try {
    createSecureContext(context);
  } catch (error) {
    const files = [ca, cert, key].filter((file) => file !== undefined).map((file) => JSON.stringify(file));
    throw new SluiceError('OPTION_INVALID', `loading ${files.join(', ')} for TLS`, { cause: error });
  }
  return { ...context, rejectUnauthorized: !skips, ...(servername === undefined ? {} : { servername }) };
}

/** Says every minute that nobody verifies who answers, until the signal aborts. */
export function warnUnverified(options: ClientTlsOptions | undefined, context: WarningContext): void {
  if (options?.insecure_skip_verify !== true) return;
  warnEveryMinute('tls.insecure_skip_verify', 'the certificates of servers are not verified', context);
}

type WarningContext = Pick<ConnectorContext, 'log' | 'clock' | 'signal'>;

/** What an option makes insecure is said as long as it holds: until the signal aborts. */
export function warnEveryMinute(option: string, message: string, { log, clock, signal }: WarningContext): void {
  const repeat = async (): Promise<never> => {
    for (;;) {
      log.warn({ option }, message);
      await clock.sleep(MINUTE_MS, signal);
    }
  };
  // It ends with the signal only.
  repeat().catch(() => undefined);
}

/** What OpenSSL and Node.js say of a handshake, with what would help. */
const HANDSHAKE: readonly (readonly [said: RegExp, means: string])[] = [
  [/wrong version number|packet length too long/, 'the server does not speak TLS; use `http:`'],
  [/altnames/, 'the certificate is for another name; see `tls.server_name`'],
  [
    /self-signed|unable to (?:get|verify)|unknown ca/i,
    'the certificate is signed by an unknown authority; see `tls.ca`',
  ],
  [/certificate has expired|certificate is not yet valid/, 'the certificate is not valid at this time'],
  [/certificate required|bad certificate|alert handshake/, 'the server refuses us; see `tls.cert` and `tls.key`'],
  [/unsupported protocol|protocol version/, 'the server does not speak TLS 1.2 or newer'],
];

/** For the message of a connection that failed: what is wrong with TLS, which waiting would not mend; null when it is something else. */
export function explainTlsFailure(message: string): string | null {
  return HANDSHAKE.find(([said]) => said.test(message))?.[1] ?? null;
}
