import type { Row, ShownBy } from './row.ts';

/** Tests of a file below `test/`, by their titles or what these begin with. */
export const on = (file: string, ...titles: string[]): readonly ShownBy[] =>
  titles.map((title) => ({ file: `test/${file}`, title }));

/** A row that tests show as they are. */
export function testRow(row: Omit<Row, 'by'>, ...by: readonly (readonly ShownBy[])[]): Row {
  return { ...row, by: by.flat() };
}
