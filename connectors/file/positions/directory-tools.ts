import {
  SluiceError,
  type Position,
  type PositionChange,
  type PositionPlan,
  type PositionRequest,
  type PositionTools,
} from 'sluice/api';
import { resolve } from 'node:path';
import type { DirectoryOptions } from '../directory-options.ts';
import { Complaints } from '../source/complaints.ts';
import { Glob } from '../source/glob.ts';
import type { FoundFile } from '../source/newcomers.ts';
import { fromPosition, toPosition } from '../source/position.ts';
import { Scanner } from '../source/scanner.ts';
import { createNodeStorage } from '../source/storage.ts';

/** How operators move a source of whole files: each is still to be read, or counts as read. */
export const directoryPositionTools: PositionTools<DirectoryOptions> = {
  describe(_partition, position) {
    const saved = fromPosition(position);
    return saved === null ? null : { place: saved.path, offset: saved.offset };
  },
  async plan({ include, exclude }, request, { log }) {
    if (request.to.kind === 'offset')
      throw new SluiceError(
        'OPTION_INVALID',
        'going to a byte: files of a directory are read whole; say earliest, latest or a time',
      );
    const storage = createNodeStorage();
    const found = await new Scanner(new Glob(include, exclude, storage), storage, new Complaints(log)).scan();
    return planOf(found, request);
  },
};

function planOf(found: readonly FoundFile[], { to, place, saved }: PositionRequest): PositionPlan {
  const path = place === null ? null : resolve(place);
  const changes: PositionChange[] = [];
  for (const file of found.filter((one) => path === null || one.path === path)) {
    const { key, modifiedMs } = file.status;
    const isBehind = to.kind === 'latest' || (to.kind === 'time' && modifiedMs < to.timeMs);
    if (isBehind) changes.push({ partition: key, position: readPosition(file), note: 'counts as read' });
    else if (saved.has(key)) changes.push({ partition: key, position: null, note: 'is read from its beginning' });
  }
  for (const [partition, position] of saved) {
    if (to.kind !== 'earliest' || found.some(({ status }) => status.key === partition)) continue;
    if (path === null || fromPosition(position)?.path === path)
      changes.push({ partition, position: null, note: 'the file is gone' });
  }
  const isThere = path === null || changes.length > 0 || found.some((one) => one.path === path);
  const why = 'the source does not find it: is it named by `include`?';
  return { changes, left: isThere ? [] : [{ what: path, why }] };
}

/** Nothing of the file as it is now is left to be read. */
function readPosition({ path, status }: FoundFile): Position {
  const { size: bytes, modified, born } = status;
  const nothing = { offset: 0, head: Buffer.alloc(0), check: '', isSkipping: false, skipTo: null, former: [] };
  const mark = { format: 'none', length: 0, limit: 0, damage: null, isTold: false } as const;
  return toPosition({
    path,
    ...nothing,
    born,
    isRotated: true,
    archive: { ...mark, bytes, modified: String(modified) },
  });
}
