import { readFile, stat } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions, type TlsOptions as NodeTlsOptions } from 'node:tls';
import { SluiceError, Type, path, secret, type Static } from '../api/index.ts';

/** Options of listeners that speak TLS. */
export const tlsOptions = Type.Object(
  {
    cert: path({
      description: 'PEM file with the certificate, followed by those of the authorities between it and the root.',
    }),
    key: path({ description: 'PEM file with the private key.' }),
    passphrase: Type.Optional(secret({ description: 'What decrypts the private key.' })),
    client_ca: Type.Optional(
      path({
        description:
          'PEM file with authorities. Only clients that show a certificate signed by one of them are served.',
      }),
    ),
    client_names: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
        minItems: 1,
        maxItems: 1000,
        examples: [['agent-1.example.com', 'spiffe://example.com/shipper']],
        description:
          'Of those only clients whose certificate has one of these names: the common name, or a DNS name, URI or e-mail address, letter by letter.',
      }),
    ),
    client_fingerprints: Type.Optional(
      Type.Array(Type.String({ pattern: '^([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$' }), {
        minItems: 1,
        maxItems: 1000,
        description:
          'And those whose certificate has one of these SHA-256 fingerprints, as `openssl x509 -fingerprint -sha256` prints them.',
      }),
    ),
  },
  {
    additionalProperties: false,
    description: 'Serve over TLS, 1.2 at least. Changed files are used for new connections within half a minute.',
  },
);

export type TlsOptions = Static<typeof tlsOptions>;

/** What the server is made of. Throws `OPTION_INVALID` naming the file that cannot be used. */
export async function loadTls(options: TlsOptions): Promise<NodeTlsOptions> {
  const context: SecureContextOptions = {
    cert: await readPem(options.cert, 'certificate'),
    key: await readPem(options.key, 'private key'),
    minVersion: 'TLSv1.2',
    ...(options.passphrase === undefined ? {} : { passphrase: options.passphrase }),
    ...(options.client_ca === undefined ? {} : { ca: await readPem(options.client_ca, 'client authorities') }),
  };
  try {
    createSecureContext(context);
  } catch (error) {
    throw new SluiceError(
      'OPTION_INVALID',
      `loading the certificate ${JSON.stringify(options.cert)} with the key ${JSON.stringify(options.key)}`,
      { cause: error },
    );
  }
  const asksClients = options.client_ca !== undefined;
  return { ...context, requestCert: asksClients, rejectUnauthorized: asksClients };
}

/** Changes when one of the files does; null while one of them cannot be read. */
export async function tlsFingerprint(options: TlsOptions): Promise<string | null> {
  const files = [options.cert, options.key, ...(options.client_ca === undefined ? [] : [options.client_ca])];
  try {
    const states = await Promise.all(files.map((file) => stat(file)));
    return states.map((state) => `${state.ino}:${state.size}:${state.mtimeMs}`).join(' ');
  } catch {
    return null;
  }
}

/** Throws `OPTION_INVALID` naming the file. */
export async function readPem(file: string, what: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new SluiceError('OPTION_INVALID', `reading the ${what} ${JSON.stringify(file)}`, { cause: error });
  }
}
