import fc from 'fast-check';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import type { Cell, Column, ColumnType } from '../../../connectors/file/sink/content/columns.ts';
import { RowReader } from '../../../connectors/file/sink/content/columns.ts';
import { parquetContent, type ParquetCodec } from '../../../connectors/file/sink/content/parquet.ts';
import { recordBatch } from '../../../src/testing/batches.ts';

jest.setTimeout(30_000);

type Row = readonly Cell[];

const partition = { topic: 'orders', partition: 0, incarnation: 'AAAAAAAA' };
const columnsOf = (types: readonly ColumnType[], required = false): Column[] =>
  types.map((type, at) => ({ name: `c${at}`, type, required }));

/** A file with a row group for each of these lists of rows. */
function fileOf(
  columns: readonly Column[],
  blocks: readonly (readonly Row[])[],
  codec: ParquetCodec = 'SNAPPY',
): ArrayBuffer {
  const body = parquetContent({ columns, codec, level: undefined }).begin();
  const parts: Uint8Array[] = [];
  for (const rows of blocks) {
    body.add({ bytes: new Uint8Array(0), rows: rows.flat(), records: rows.length, size: rows.length });
    parts.push(body.encode());
    body.written();
  }
  const bytes = Buffer.concat([...parts, body.end()]);
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
}

async function cellsOf(file: ArrayBuffer): Promise<unknown[][]> {
  const objects = (await parquetReadObjects({ file })) as Record<string, unknown>[];
  return objects.map((object) => Object.values(object));
}

const cell: Record<ColumnType, fc.Arbitrary<Exclude<Cell, null>>> = {
  string: fc.oneof(fc.constantFrom('a', 'b', ''), fc.string({ unit: 'binary', maxLength: 60 })),
  json: fc.json(),
  int: fc.integer(),
  long: fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  float: fc.float({ noNaN: true }),
  double: fc.double({ noNaN: true }),
  boolean: fc.boolean(),
  timestamp: fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }),
};
const types = Object.keys(cell) as ColumnType[];

/** As hyparquet hands it out. */
function read(type: ColumnType, value: Cell): unknown {
  if (value === null) return null;
  if (type === 'long') return BigInt(value);
  return type === 'timestamp' ? new Date(value as number) : value;
}

test.each(['UNCOMPRESSED', 'SNAPPY'] as const)('whatever is in the cells is read back (%s)', async (codec) => {
  const row = fc.tuple(...types.map((type) => fc.option(cell[type], { nil: null })));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(row, { minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 3 }),
      async (blocks) => {
        const found = await cellsOf(fileOf(columnsOf(types), blocks, codec));
        expect(found).toEqual(blocks.flat().map((cells) => cells.map((value, at) => read(types[at]!, value))));
      },
    ),
    { numRuns: 100 },
  );
});

test('required columns have no levels, and lists of any length end in whole groups', async () => {
  for (const count of [1, 7, 8, 9, 1000]) {
    const rows = Array.from({ length: count }, (_, n): Row => [`u${n % 3}`, n, n % 2 === 0]);
    const found = await cellsOf(fileOf(columnsOf(['string', 'int', 'boolean'], true), [rows]));
    expect(found).toEqual(rows);
  }
});

test('values that come again are in a dictionary, others are not', async () => {
  const rows = Array.from({ length: 20_000 }, (_, n): Row => [`host-${n % 50}`, `request-${n}`, n % 7, null]);
  const file = fileOf(columnsOf(['string', 'string', 'int', 'string']), [rows, rows]);
  const groups = parquetMetadata(file).row_groups;
  const withDictionary = groups.map(({ columns }) =>
    columns.map(({ meta_data: about }) => about!.encodings.includes('RLE_DICTIONARY')),
  );
  expect(withDictionary).toEqual([
    [true, false, true, false],
    [true, false, true, false],
  ]);
  expect(await cellsOf(file)).toEqual([...rows, ...rows]);
});

test('a dictionary is tried again after a while', () => {
  const unlike = Array.from({ length: 100 }, (_, n): Row => [`request-${n}`]);
  const alike = Array.from({ length: 100 }, (): Row => ['request']);
  const blocks = [unlike, ...Array.from({ length: 20 }, () => alike)];
  const { row_groups: groups } = parquetMetadata(fileOf(columnsOf(['string']), blocks));
  const first = groups.findIndex(({ columns }) => columns[0]!.meta_data!.encodings.includes('RLE_DICTIONARY'));
  expect(first).toBeGreaterThan(1);
  expect(first).toBeLessThan(20);
});

test('the footer says between what the values of a chunk lie, where the order of strings is that of their bytes', () => {
  const rows: Row[] = [
    [3, 'b', 'a', 0.5],
    [-1, 'a', '漢', null],
    [2, 'c', 'b', -2],
  ];
  const { row_groups: groups } = parquetMetadata(fileOf(columnsOf(['long', 'string', 'string', 'double']), [rows]));
  const bounds = groups[0]!.columns.map(({ meta_data: about }) => about!.statistics!);
  expect(
    bounds.map(({ min_value: least, max_value: greatest, null_count: nulls }) => [least, greatest, nulls]),
  ).toEqual([
    [-1n, 3n, 0n],
    ['a', 'c', 0n],
    [undefined, undefined, 0n],
    [-2, 0.5, 1n],
  ]);
});

describe('cells of records', () => {
  const reader = (...columns: Partial<Column>[]): RowReader =>
    new RowReader(columns.map((column) => ({ name: 'c', type: 'string', required: false, ...column })));
  const batchOf = (values: readonly (string | null)[], decode?: (bytes: Uint8Array) => unknown) =>
    recordBatch([{ partition, base: 7, records: values.map((value) => ({ value, key: 'k' })) }], decode);

  test('are those that decoding the whole value gives', () => {
    const values = [
      '{"a":{"b":"x"},"n":1}',
      '{"n":2,"a":null}',
      '[1]',
      '"text"',
      null,
      ' { "a" : { "b" : "\\u00e9" } } ',
    ];
    const rows = reader(
      { from: 'value.a.b' },
      { from: 'value.n', type: 'int' },
      { from: 'offset', type: 'long' },
      { from: 'key' },
    );
    const batch = batchOf(values);
    expect(values.map((_, index) => rows.rowOf(batch, index))).toEqual([
      ['x', 1, 7, 'k'],
      [null, 2, 8, 'k'],
      [null, null, 9, 'k'],
      [null, null, 10, 'k'],
      [null, null, 11, 'k'],
      ['é', null, 12, 'k'],
    ]);
  });

  test('a record that is refused leaves nothing', () => {
    const cells: unknown[] = ['before'];
    const rows = reader({ from: 'value.a' }, { from: 'value.n', type: 'int', required: true });
    expect(() => {
      rows.addTo(cells, batchOf(['{"a":"x"}']), 0);
    }).toThrow('`value.n` is missing');
    expect(cells).toEqual(['before']);
  });

  test('values that are text by `decode` are no objects', () => {
    const batch = batchOf(['{"a":"x"}', '{"a":"y"}'], (bytes) => Buffer.from(bytes).toString());
    const rows = reader({ from: 'value.a' });
    expect([rows.rowOf(batch, 0), rows.rowOf(batch, 1)]).toEqual([[null], [null]]);
  });
});
