import { stat, readFile } from 'node:fs/promises';
import { SluiceError, Type, path, secret, type OptionProblem, type Static } from '../api/index.ts';

/** HTTP basic authentication of clients, for the options of connectors. */
export const clientBasicOptions = Type.Object(
  {
    username: Type.String({ minLength: 1, pattern: '^[^:]+$', description: 'The user name; it cannot hold a colon.' }),
    password: secret({ description: 'The password.' }),
  },
  { additionalProperties: false, description: 'HTTP basic authentication.' },
);

/** Credentials of clients of HTTP. */
export const clientAuthOptions = Type.Object(
  {
    basic: Type.Optional(clientBasicOptions),
    bearer: Type.Optional(secret({ description: 'A token, sent as `Authorization: Bearer`.' })),
    bearer_file: Type.Optional(
      path({ description: 'A file with such a token. It is read again when it has changed: tokens run out.' }),
    ),
  },
  { additionalProperties: false, description: 'Credentials: one of `basic`, `bearer` and `bearer_file`.' },
);

export type ClientAuthOptions = Static<typeof clientAuthOptions>;

/** What the schema cannot say. */
export function clientAuthProblems(auth: ClientAuthOptions): readonly OptionProblem[] {
  return Object.keys(auth).length === 1
    ? []
    : [{ path: ['auth'], message: '`auth` takes one of `basic`, `bearer` and `bearer_file`' }];
}

/** The `Authorization` of the next request; null for none. Throws `SINK_BLOCKED` when the token cannot be read. */
export type Credentials = () => Promise<string | null>;

/** `api_key`: of systems that have such keys, an option of their connectors. */
export type ClientCredentialOptions = ClientAuthOptions & { readonly api_key?: string };

/** Throws `OPTION_INVALID` for a token that no header can hold. */
export function clientCredentials(auth: ClientCredentialOptions = {}): Credentials {
  const { basic, bearer, bearer_file: file, api_key: key } = auth;
  if (file !== undefined) return tokenOf(file);
  const fixed =
    basic !== undefined
      ? basicOf(basic)
      : bearer !== undefined
        ? tokenHeader('Bearer', bearer)
        : key !== undefined
          ? tokenHeader('ApiKey', key)
          : null;
  return () => Promise.resolve(fixed);
}

export function basicOf({ username, password }: Static<typeof clientBasicOptions>): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function tokenOf(file: string): Credentials {
  let version = '';
  let header = '';
  return async () => {
    try {
      const { ino, size, mtimeMs } = await stat(file);
      const found = `${ino}:${size}:${mtimeMs}`;
      if (found !== version) {
        header = tokenHeader('Bearer', await readFile(file, 'utf8'));
        version = found;
      }
      return header;
    } catch (error) {
      throw new SluiceError('SINK_BLOCKED', `reading the token ${JSON.stringify(file)}`, { cause: error });
    }
  };
}

function tokenHeader(scheme: 'Bearer' | 'ApiKey', text: string): string {
  const token = text.trim();
  // Anything else would be refused as a header, with the token in the message.
  if (!/^[\x21-\x7e]+$/.test(token)) {
    const what = scheme === 'Bearer' ? 'a bearer token' : 'an API key';
    throw new SluiceError('OPTION_INVALID', `reading ${what}: it is not one line of visible ASCII`);
  }
  return `${scheme} ${token}`;
}
