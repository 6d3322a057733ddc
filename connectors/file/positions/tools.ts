import { SluiceError, type CheckContext, type ImportRequest, type PositionPlan, type PositionTools } from 'sluice/api';
import { fromPosition } from '../source/position.ts';
import type { SourceOptions } from '../source-options.ts';
import { KnownFiles } from './known-files.ts';
import { matchRecords } from './match-records.ts';
import { movePositions } from './move-positions.ts';
import { readers } from './records/readers.ts';

/** How operators move a file source: files by path and byte. */
export const positionTools: PositionTools<SourceOptions> = {
  describe(_partition, position) {
    const saved = fromPosition(position);
    return saved === null ? null : { place: saved.path, offset: saved.offset };
  },
  async plan(options, request, context) {
    return movePositions(await KnownFiles.find(options, context), request);
  },
  imports: Object.keys(readers),
  importFrom,
};

async function importFrom(
  options: SourceOptions,
  { program, path }: ImportRequest,
  context: CheckContext,
): Promise<PositionPlan> {
  const records = await readers[program]!(path).catch((error: unknown) => {
    if (error instanceof SluiceError) throw error;
    throw new SluiceError('OPTION_INVALID', `reading what ${program} has kept in "${path}"`, { cause: error });
  });
  return matchRecords(await KnownFiles.find(options, context), records);
}
