import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { SluiceError, type CheckContext, type JobBatch } from 'sluice/api';
import { createSink } from './create.ts';
import type { SinkOptions } from './options.ts';

/** No batch has this id, and every server that is there says so. */
const NOBODY: JobBatch = {
  id: 'sluice.check.none',
  topic: '',
  incarnation: '',
  ranges: [],
  offsets: 0,
  attempt: 1,
  folder: null,
};

/** Throws when nothing answers where jobs run, or when what runs is not there. */
export async function checkSpark(options: SinkOptions, context: CheckContext): Promise<void> {
  const { application, spark_submit: submit, standalone } = options;
  if (application.path !== undefined) await readable(application.path, constants.R_OK);
  if (submit !== undefined) await readable(submit.command, constants.X_OK);
  const sink = await createSink(options, context);
  try {
    await sink.find(NOBODY);
    if (standalone !== undefined) await sink.look({ driver: 'driver-00000000000000-0000' }, NOBODY);
  } finally {
    await sink.close();
  }
}

async function readable(file: string, mode: number): Promise<void> {
  try {
    await access(file, mode);
  } catch (error) {
    throw new SluiceError('OPTION_INVALID', `looking at ${JSON.stringify(file)}`, { cause: error });
  }
}
