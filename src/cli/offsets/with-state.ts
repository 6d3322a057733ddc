import { SluiceError } from '../../api/index.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { CliIo } from '../io.ts';
import { openOffsetsState, type OffsetsState, type OpenStateOptions } from './offsets-state.ts';

/** What is wrong with the command line, once it is held against what there is. */
const USAGE: readonly string[] = ['OPTION_INVALID', 'TOPIC_UNKNOWN', 'TOPIC_CHANGED'];

/** Opens what is saved, closes it afterwards, and says what was wrong. */
export async function withOffsetsState(
  options: OpenStateOptions,
  io: CliIo,
  use: (state: OffsetsState) => Promise<ExitCode>,
): Promise<ExitCode> {
  try {
    const state = await openOffsetsState(options, io);
    if ('exit' in state) return state.exit;
    try {
      return await use(state);
    } finally {
      await state.close();
    }
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    if (error.code !== 'DATA_FOLDER_IN_USE' && !USAGE.includes(error.code)) throw error;
    io.stderr.write(`sluice: ${error.message}\n`);
    return error.code === 'DATA_FOLDER_IN_USE' ? EXIT.inUse : EXIT.usage;
  }
}
