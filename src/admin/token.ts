import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../api/index.ts';

export const TOKEN_FILE = 'api.token';

/** The token for clients on other machines, made once in the data folder, for its owner's eyes only. */
export async function loadToken(dataDir: string): Promise<string> {
  const file = join(dataDir, TOKEN_FILE);
  try {
    await writeFile(file, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const token = (await readFile(file, 'utf8')).trim();
  if (token.length >= 16) return token;
  throw new SluiceError(
    'OPTION_INVALID',
    `reading ${JSON.stringify(file)}: a token has at least 16 characters; delete the file to get a new one`,
  );
}
