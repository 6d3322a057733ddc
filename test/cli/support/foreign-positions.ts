import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** How far a program has read a file, as it would have known it. */
export interface ReadFile {
  readonly path: string;
  readonly inode: number;
  readonly device: number;
  readonly offset: number;
}

/** Writes what each program keeps, in its own format; resolves with the path that the command is given. */
export const writers: Readonly<Record<string, (folder: string, files: readonly ReadFile[]) => Promise<string>>> = {
  taildir: (folder, files) =>
    written(folder, JSON.stringify(files.map(({ path, inode, offset }) => ({ inode, pos: offset, file: path })))),
  // The device as JRuby has it, without a path in every second line, as older ones are.
  sincedb: (folder, files) =>
    written(
      folder,
      files
        .map(({ path, inode, device, offset }) => `${inode} 0 ${device} ${offset} 1732600000.123 ${path}\n`)
        .join(''),
    ),
  fluentd: (folder, files) => {
    const hex = (number: number): string => number.toString(16).padStart(16, '0');
    const lines = files.map(({ path, inode, offset }) => `${path}\t${hex(offset)}\t${hex(inode)}\n`);
    return written(folder, `${lines.join('')}${join(folder, 'given-up.log')}\tffffffffffffffff\t${hex(7)}\n`);
  },
  filebeat: writeFilebeat,
  'fluent-bit': async (folder, files) => {
    await mkdir(folder, { recursive: true });
    const path = join(folder, 'tail.db');
    const database = new DatabaseSync(path);
    database.exec(
      'CREATE TABLE in_tail_files (id INTEGER PRIMARY KEY, name TEXT NOT NULL, offset INTEGER, inode INTEGER, created INTEGER, rotated INTEGER DEFAULT 0)',
    );
    const insert = database.prepare(
      'INSERT INTO in_tail_files (name, offset, inode, created) VALUES (?, ?, ?, 1732600000)',
    );
    for (const { path: name, offset, inode } of files) insert.run(name, offset, inode);
    database.close();
    return path;
  },
};

async function written(folder: string, text: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'positions');
  await writeFile(path, text);
  return path;
}

/** The first in the checkpoint, by inode, with an older offset than in the log behind it; one by fingerprint; of the input `log`; removed and torn ones. */
async function writeFilebeat(folder: string, files: readonly ReadFile[]): Promise<string> {
  await mkdir(folder, { recursive: true });
  const native = ({ inode, device }: ReadFile): string => `filestream::my-logs::native::${inode}-${device}`;
  const stateOf = ({ path, offset }: ReadFile): object => ({
    cursor: { offset },
    meta: { source: path, identifier_name: 'native' },
    ttl: -1,
    updated: [515396075542, 1732600000],
  });
  const [first, ...rest] = files;
  const checkpoint = [
    { _key: native(first!), ...stateOf({ ...first!, offset: 0 }) },
    { _key: 'winlog::System', cursor: {} },
  ];
  await writeFile(join(folder, 'active.dat'), join('/usr/share/filebeat/data/registry/filebeat', '7.json'));
  await writeFile(join(folder, '7.json'), JSON.stringify(checkpoint));
  const operations: object[] = [
    { op: 'set', id: 8 },
    { k: native(first!), v: stateOf(first!) },
  ];
  for (const [index, file] of rest.entries()) {
    const head = await readFile(file.path).catch(() => Buffer.alloc(0));
    const { path: source, offset, inode, device } = file;
    const entry =
      head.length >= 1024
        ? { k: `filestream::my-logs::fingerprint::${sha256(head.subarray(0, 1024))}`, v: stateOf(file) }
        : index % 2 === 0
          ? { k: native(file), v: stateOf(file) }
          : {
              k: `filebeat::logs::native::${inode}-${device}`,
              v: { source, offset, type: 'log', FileStateOS: { inode, device } },
            };
    operations.push({ op: 'set', id: 9 + index }, entry);
  }
  const gone = { ...first!, inode: 3, path: '/removed.log' };
  operations.push(
    { op: 'set', id: 90 },
    { k: native(gone), v: stateOf(gone) },
    { op: 'remove', id: 91 },
    { k: native(gone) },
  );
  const lines = operations.map((line) => `${JSON.stringify(line)}\n`).join('');
  await writeFile(join(folder, 'log.json'), `${lines}{"op":"set","id":92}\n{"k":"filestream::my-lo`);
  return folder;
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
