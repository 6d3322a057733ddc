import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sending } from './client-row.ts';

/** `n=17` within the message. */
export const numberOf = (line: Buffer): number | null => {
  const [, digits] = /n=(\d+)/.exec(line.toString('latin1')) ?? [];
  return digits === undefined ? null : Number(digits);
};

/** Writes the messages of a client into a file, one a line. */
export async function messages({ folder, first, count }: Sending): Promise<string> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'messages.txt');
  await writeFile(file, Array.from({ length: count }, (_each, at) => `n=${first + at} Grüße, one line\n`).join(''));
  return file;
}
