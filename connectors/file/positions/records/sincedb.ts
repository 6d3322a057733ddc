import { readFile } from 'node:fs/promises';
import { linesOf, record, unreadable, type ReadRecords } from './foreign-record.ts';

/** Logstash's `sincedb_path`: `inode major minor pos`, since 5.0 with `epoch path` behind (`sincedb_record_serializer.rb`). */
export const readSincedb: ReadRecords = async (path) =>
  linesOf(await readFile(path, 'utf8')).map(({ text, where }) => {
    const [, inode, major, minor, pos, file = ''] =
      /^(\S+) (\d+) (\d+) (\d+)(?: [\d.]+(?: (.+))?)?$/.exec(text.trim()) ?? [];
    if (inode === undefined) throw unreadable(where, 'it is no line of a sincedb');
    return record(
      {
        path: file === '' ? null : file,
        inode,
        device: devices(Number(major), Number(minor)),
        offset: Number(pos),
        skipped: /^\d+$/.test(inode) ? null : 'its identity is none of this system',
      },
      where,
    );
  });

/** JRuby gives 0 and the whole number of the device, or its two halves, put together as glibc's `makedev` does. */
function devices(major: number, minor: number): readonly string[] {
  const [high, low] = [BigInt(major), BigInt(minor)];
  const whole = ((high & 0xfffn) << 8n) | (low & 0xffn) | ((low & ~0xffn) << 12n) | ((high & ~0xfffn) << 32n);
  return [...(major === 0 ? [String(minor)] : []), String(whole)];
}
