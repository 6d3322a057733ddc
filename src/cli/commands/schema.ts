import { hubSchema, pipelineSchema } from '../../config/index.ts';
import { createRegistry } from '../../registry/index.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { CliIo } from '../io.ts';
import { writeOut } from '../write-out.ts';

/** Prints a JSON Schema. */
export async function schema({ what }: { readonly what: 'pipeline' | 'hub' }, io: CliIo): Promise<ExitCode> {
  const document = what === 'hub' ? hubSchema() : pipelineSchema(await createRegistry().all());
  await writeOut(io, `${JSON.stringify(document, null, 2)}\n`);
  return EXIT.done;
}
