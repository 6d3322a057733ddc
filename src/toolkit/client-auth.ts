import { Type, secret } from '../api/index.ts';

/** HTTP basic authentication of clients, for the options of connectors. */
export const clientBasicOptions = Type.Object(
  {
    username: Type.String({ minLength: 1, pattern: '^[^:]+$', description: 'The user name; it cannot hold a colon.' }),
    password: secret({ description: 'The password.' }),
  },
  { additionalProperties: false, description: 'HTTP basic authentication.' },
);
