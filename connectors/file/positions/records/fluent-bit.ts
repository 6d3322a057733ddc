import { record, type ReadRecords } from './foreign-record.ts';

/** The database of Fluent Bit's in_tail (`plugins/in_tail/tail_sql.h`, table `in_tail_files`), opened for reading only. */
export const readFluentBit: ReadRecords = async (path) => {
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const rows = database.prepare('SELECT id, name, offset, inode FROM in_tail_files ORDER BY id').all();
    return rows.map(({ id, name, offset, inode }) =>
      record({ path: String(name), inode: String(inode), offset }, `row ${String(id)}`),
    );
  } finally {
    database.close();
  }
};
