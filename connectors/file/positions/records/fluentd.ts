import { readFile } from 'node:fs/promises';
import { linesOf, record, unreadable, type ReadRecords } from './foreign-record.ts';

/** The position of a file that fluentd does not watch any more (`TailInput::PositionFile::UNWATCHED_POSITION`). */
const UNWATCHED = 'ffffffffffffffff';

/** The `pos_file` of fluentd's in_tail: path, position and inode, tabs between, the numbers as 16 hexadecimal digits. */
export const readFluentd: ReadRecords = async (path) =>
  linesOf(await readFile(path, 'utf8')).map(({ text, where }) => {
    const [, file, pos, inode] = /^(.+)\t([0-9a-f]{1,16})\t([0-9a-f]{1,16})$/i.exec(text) ?? [];
    if (file === undefined || pos === undefined || inode === undefined)
      throw unreadable(where, 'it is no line of a pos_file');
    const isUnwatched = pos.toLowerCase() === UNWATCHED;
    return record(
      {
        path: file,
        inode: BigInt(`0x${inode}`).toString(),
        offset: isUnwatched ? 0 : Number.parseInt(pos, 16),
        skipped: isUnwatched ? 'fluentd had given it up, and forgot how far it was read' : null,
      },
      where,
    );
  });
