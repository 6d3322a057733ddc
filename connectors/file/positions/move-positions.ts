import { resolve } from 'node:path';
import {
  SluiceError,
  type PositionChange,
  type PositionPlan,
  type PositionRequest,
  type PositionTarget,
} from 'sluice/api';
import type { Boundaries } from '../source/framing/boundaries.ts';
import type { FoundFile } from '../source/newcomers.ts';
import { fromPosition, STARTED } from '../source/position.ts';
import type { InputFile } from '../source/storage.ts';
import type { KnownFiles, NotedBeginning } from './known-files.ts';

/** Where files are to be read on, all or the one at a path. Throws `OPTION_INVALID` for a byte without a file. */
export async function movePositions(known: KnownFiles, { to, place, saved }: PositionRequest): Promise<PositionPlan> {
  if (to.kind === 'offset' && place === null)
    throw new SluiceError('OPTION_INVALID', `going to byte ${to.offset}: say of which file: PATH=${to.offset}`);
  const path = place === null ? null : resolve(place);
  const changes: PositionChange[] = [];
  const left: { what: string; why: string }[] = [];
  for (const file of known.files.filter((one) => path === null || one.path === path)) {
    const before = saved.get(file.status.key);
    const begin = (opened: InputFile, size: number): Promise<NotedBeginning> =>
      beginningOf(to, { file, opened, size, boundaries: known.boundaries });
    const change = await known.positionIn(file, begin, before === undefined ? null : fromPosition(before));
    if (change !== null) changes.push(change);
    else if (path !== null)
      left.push({ what: path, why: 'it is empty or compressed: there is nothing in it to go to' });
  }
  for (const [partition, position] of saved) {
    const gone = partition === STARTED ? null : fromPosition(position);
    const isThere = known.files.some(({ status }) => status.key === partition);
    if (gone === null || isThere || (path !== null && gone.path !== path)) continue;
    // Its content may turn up as a copy, which would go on where the original was read to.
    if (to.kind === 'earliest') changes.push({ partition, position: null, note: 'the file is gone' });
    else if (path !== null) left.push({ what: path, why: 'the file is gone; what is saved of it stays' });
  }
  if (path !== null && changes.length + left.length === 0)
    left.push({ what: path, why: 'the source does not find it: is it named by `include`?' });
  return { changes, left };
}

async function beginningOf(
  to: PositionTarget,
  {
    file,
    opened,
    size,
    boundaries,
  }: {
    readonly file: FoundFile;
    readonly opened: InputFile;
    readonly size: number;
    readonly boundaries: Boundaries;
  },
): Promise<NotedBeginning> {
  switch (to.kind) {
    case 'earliest':
      return { offset: 0 };
    case 'latest':
      return boundaries.last(opened, size);
    case 'time':
      // Lines have no time of their own: of a file that was written since, all of it may be meant.
      if (file.status.modifiedMs < to.timeMs) return boundaries.last(opened, size);
      return { offset: 0, note: 'written since: lines have no time, so it is read from its beginning' };
    case 'offset':
      if (to.offset > size) return { ...(await boundaries.last(opened, size)), note: `the file has ${size} bytes` };
      if (await boundaries.begins(opened, to.offset)) return { offset: to.offset };
      if (boundaries.canSkip) return { offset: to.offset, isSkipping: true, note: 'within a line: begins at the next' };
      return { offset: await boundaries.before(opened, to.offset), note: 'within a record: begins with that one' };
  }
}
