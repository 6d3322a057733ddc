import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { SluiceError } from '../../api/index.ts';
import type { HubPlan } from '../../config/index.ts';
import type { CliIo } from '../io.ts';
import type { Entry } from './entry.ts';
import { parseEntries } from './formats.ts';
import { legFilter } from './leg-filter.ts';

/** The offsets in a file, of all legs or of those that are wanted. Throws `OPTION_INVALID`. */
export async function readEntries(
  { file, leg }: { readonly file: string; readonly leg?: string },
  { plan, io }: { readonly plan: HubPlan | null; readonly io: CliIo },
): Promise<readonly Entry[]> {
  const text = await readFile(resolve(io.cwd, file), 'utf8').catch((error: unknown) => {
    throw new SluiceError('OPTION_INVALID', `reading offsets from "${file}"`, { cause: error });
  });
  const [pipeline, name] = leg?.split('/') ?? [];
  const about = pipeline === undefined || name === undefined ? null : { pipeline, leg: name };
  const entries = parseEntries(text, { group: plan?.group ?? 'default', leg: about });
  const isWanted = legFilter(leg);
  return entries.filter((entry) => isWanted(entry.pipeline, entry.leg));
}
