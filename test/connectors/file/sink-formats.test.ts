import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, inflateRawSync, zstdDecompressSync } from 'node:zlib';
import avro from 'avsc';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { openContent } from '../../../connectors/file/sink/content/open-content.ts';
import type { Column } from '../../../connectors/file/sink/content/columns.ts';
import { sinkDefinition } from '../../../connectors/file/sink-definition.ts';
import type { SinkOptions } from '../../../connectors/file/sink-options.ts';
import { publishedFiles, type SinkHarness } from '../../../src/testing/index.ts';
import { closeLeftOpen, fileSinkHarness, pathBy, temporaryFolder, type SinkSetUp } from './support/sink.ts';

jest.setTimeout(30_000);

let folder: string;

beforeEach(async () => {
  folder = await temporaryFolder();
});

afterEach(async () => {
  await closeLeftOpen();
  await rm(folder, { recursive: true, force: true });
});

const columnsOf = (columns: readonly Partial<Column>[]): Column[] =>
  columns.map((column) => ({ name: '', type: 'string', required: false, ...column }));

const columns = columnsOf([
  { name: 'at', type: 'timestamp', required: true },
  { name: 'host' },
  { name: 'small', type: 'int' },
  { name: 'big', type: 'long' },
  { name: 'ratio', type: 'double' },
  { name: 'ok', type: 'boolean' },
  { name: 'tags', type: 'json' },
  { name: 'key', from: 'key' },
  { name: 'offset', type: 'long', from: 'offset' },
]);

async function harnessOf(options: Partial<SinkOptions>, setUp: Partial<SinkSetUp> = {}): Promise<SinkHarness> {
  const csv = { delimiter: ',', header: true, escape_formulas: false, ...options.csv };
  const content = await openContent({ format: 'raw', columns: [], ...options, csv } as unknown as SinkOptions);
  return fileSinkHarness({ folder, content, ...setUp });
}

const event = (fields: object): string => JSON.stringify({ at: '2026-03-01T12:00:00.250Z', ...fields });
const full = { host: 'a,"b"\n', small: -7, big: '9007199254740993', ratio: 0.5, ok: true, tags: ['x', { y: 1 }] };

async function writeAll(harness: SinkHarness, records: Parameters<SinkHarness['append']>[1]): Promise<Buffer> {
  harness.append(0, records);
  await harness.start();
  expect(await harness.write()).toHaveProperty('failures');
  await harness.stop();
  const [file, ...others] = await publishedFiles(folder);
  expect(others).toEqual([]);
  return readFile(file!);
}

async function parquetRows(bytes: Buffer): Promise<Record<string, unknown>[]> {
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  return (await parquetReadObjects({ file: file as ArrayBuffer })) as Record<string, unknown>[];
}

type Unpacked = (error: null, bytes: Buffer) => void;
const by =
  (unpack: (block: Buffer) => Buffer) =>
  (block: Buffer, done: Unpacked): void => {
    done(null, unpack(block));
  };

async function avroRows(bytes: Buffer): Promise<unknown[]> {
  const path = join(folder, 'read.avro');
  await writeFile(path, bytes);
  const rows: unknown[] = [];
  const codecs = { null: by((block) => block), deflate: by(inflateRawSync), zstandard: by(zstdDecompressSync) };
  const decoder = avro.createFileDecoder(path, { codecs });
  for await (const row of decoder) rows.push({ ...(row as object) });
  return rows;
}

describe('compressed lines', () => {
  test.each(['gzip', 'zstd'] as const)('%s holds what the lines would be', async (compression) => {
    const harness = await harnessOf({ compression, compression_level: 3 });
    const lines = Array.from({ length: 500 }, (_, number) => `line ${number}`);
    const bytes = await writeAll(harness, lines);
    const plain = compression === 'gzip' ? gunzipSync(bytes) : zstdDecompressSync(bytes);
    expect(plain.toString()).toBe(`${lines.join('\n')}\n`);
    expect(bytes.length).toBeLessThan(plain.length / 3);
    expect((await publishedFiles(folder))[0]).toMatch(compression === 'gzip' ? /\.log\.gz$/ : /\.log\.zst$/);
  });

  test('many files together gather no more than they may', async () => {
    const path = pathBy(folder, (value) => `n${(value as { n: number }).n}`);
    const harness = await harnessOf({ format: 'ndjson', compression: 'gzip' }, { path });
    const pad = 'x'.repeat(500_000);
    harness.append(
      0,
      Array.from({ length: 160 }, (_, n) => JSON.stringify({ n: n % 80, pad })),
    );
    await harness.start();
    while ((await harness.write({ maxRecords: 8 })) !== null);
    await harness.stop();
    const files = await publishedFiles(folder);
    expect(files).toHaveLength(80);
    for (const file of files) expect(gunzipSync(await readFile(file)).length).toBeGreaterThan(1_000_000);
  });
});

describe('csv', () => {
  test('cells are read back by another parser as they were', async () => {
    const harness = await harnessOf({ format: 'csv', columns });
    const bytes = await writeAll(harness, [{ key: 'k', value: event(full) }, event({ host: '' })]);
    expect(parse(bytes, { columns: true })).toEqual([
      {
        at: '2026-03-01T12:00:00.250Z',
        host: 'a,"b"\n',
        small: '-7',
        big: '9007199254740993',
        ratio: '0.5',
        ok: 'true',
        tags: '["x",{"y":1}]',
        key: 'k',
        offset: '0',
      },
      {
        at: '2026-03-01T12:00:00.250Z',
        host: '',
        small: '',
        big: '',
        ratio: '',
        ok: '',
        tags: '',
        key: '',
        offset: '1',
      },
    ]);
    expect(bytes.toString()).toContain(',"",,,');
  });

  test('any text survives', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: 'binary' }), { minLength: 1 }), async (texts) => {
        await rm(folder, { recursive: true, force: true });
        const harness = await harnessOf({
          format: 'csv',
          columns: columnsOf([{ name: 't' }, { name: 'u', from: 'value.t' }]),
        });
        const bytes = await writeAll(
          harness,
          texts.map((t) => JSON.stringify({ t })),
        );
        const wanted = texts.map((t) => Buffer.from(JSON.parse(JSON.stringify(t)) as string).toString());
        const rows: string[][] = parse(bytes, { from: 2, record_delimiter: '\n' });
        expect(rows).toEqual(wanted.map((t) => [t, t]));
      }),
      { numRuns: 100 },
    );
  });

  test('formulas are defused when asked for, and the delimiter and the header are chosen', async () => {
    const csv = { delimiter: ';', header: false, escape_formulas: true };
    const harness = await harnessOf({ format: 'csv', columns: columnsOf([{ name: 'a' }, { name: 'b' }]), csv });
    const bytes = await writeAll(harness, ['{"a":"=1+1","b":"x;y"}']);
    expect(bytes.toString()).toBe(`'=1+1;"x;y"\n`);
  });

  test('compressed it is one stream with one header', async () => {
    const harness = await harnessOf(
      { format: 'csv', columns: columnsOf([{ name: 'n' }]), compression: 'gzip' },
      { roll: { size: 1000 } },
    );
    harness.append(
      0,
      Array.from({ length: 400 }, (_, n) => JSON.stringify({ n })),
    );
    await harness.start();
    while ((await harness.write({ maxRecords: 50 })) !== null);
    await harness.stop();
    const [file] = await publishedFiles(folder);
    const rows: unknown[] = parse(gunzipSync(await readFile(file!)), { columns: true });
    expect(rows).toEqual(Array.from({ length: 400 }, (_, n) => ({ n: String(n) })));
  });
});

const read = {
  at: 1_772_366_400_250,
  host: 'a,"b"\n',
  small: -7,
  big: 9007199254740993n,
  ratio: 0.5,
  ok: true,
  tags: '["x",{"y":1}]',
  key: 'k',
  offset: 0n,
};
const bare = { host: null, small: null, big: null, ratio: null, ok: null, tags: null, key: null };

describe('parquet', () => {
  test.each([undefined, 'none', 'gzip', 'zstd'] as const)(
    'another reader finds the records (%s)',
    async (compression) => {
      const harness = await harnessOf({
        format: 'parquet',
        columns,
        ...(compression === undefined ? {} : { compression }),
      });
      const bytes = await writeAll(harness, [{ key: 'k', value: event(full) }, event({})]);
      // Snappy and none only: the reader brings no other codec. The others are read by the proofs.
      if (compression === 'gzip' || compression === 'zstd') {
        const codec = parquetMetadata(
          bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer,
        ).row_groups[0]!.columns[0]!.meta_data!.codec;
        expect(codec).toBe(compression.toUpperCase());
        return;
      }
      const at = new Date(read.at);
      expect(await parquetRows(bytes)).toEqual([
        { ...read, at },
        { ...bare, at, offset: 1n },
      ]);
    },
  );

  test('a file of several row groups holds them all, in order', async () => {
    const harness = await harnessOf(
      { format: 'parquet', columns: columnsOf([{ name: 'n', type: 'int' }]) },
      { roll: { size: 100 } },
    );
    harness.append(
      0,
      Array.from({ length: 300 }, (_, n) => JSON.stringify({ n })),
    );
    await harness.start();
    while ((await harness.write({ maxRecords: 30 })) !== null);
    await harness.stop();
    const [file] = await publishedFiles(folder);
    const bytes = await readFile(file!);
    expect(await parquetRows(bytes)).toEqual(Array.from({ length: 300 }, (_, n) => ({ n })));
    const all = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
    expect(parquetMetadata(all).row_groups.length).toBeGreaterThan(3);
  });
});

describe('avro', () => {
  test.each([undefined, 'gzip', 'zstd'] as const)(
    'another reader finds the records of columns (%s)',
    async (compression) => {
      const harness = await harnessOf({
        format: 'avro',
        columns,
        ...(compression === undefined ? {} : { compression }),
      });
      const small = { ...full, big: 12 };
      const bytes = await writeAll(harness, [{ key: 'k', value: event(small) }, event({})]);
      expect(await avroRows(bytes)).toEqual([
        { ...read, big: 12, offset: 0 },
        { ...bare, at: read.at, offset: 1 },
      ]);
    },
  );

  test('longs have all their 64 bits', async () => {
    const harness = await harnessOf({
      format: 'avro',
      columns: columnsOf([{ name: 'n', type: 'long', required: true }]),
    });
    const bytes = await writeAll(harness, ['{"n":"-9223372036854775808"}', '{"n":"9223372036854775807"}', '{"n":-1}']);
    // Zigzag, as the specification has it.
    const data = bytes.subarray(bytes.length - 16 - 21, bytes.length - 16).toString('hex');
    expect(data).toBe(`${'ff'.repeat(9)}01fe${'ff'.repeat(8)}0101`);
  });

  test('a schema from a file, with what does not fit it refused and named', async () => {
    const schema = join(folder, 'event.avsc');
    const fields = [
      { name: 'id', type: 'long' },
      { name: 'note', type: ['null', 'string'], default: null },
      {
        name: 'in',
        type: { type: 'record', name: 'In', fields: [{ name: 'a', type: { type: 'array', items: 'int' } }] },
      },
    ];
    await writeFile(schema, JSON.stringify({ type: 'record', name: 'Event', namespace: 'test', doc: 'kept', fields }));
    const harness = await harnessOf({ format: 'avro', schema });
    harness.append(0, [
      '{"id":1,"note":"n","in":{"a":[1,2]}}',
      '{"id":"x","in":{"a":[]}}',
      '{"id":2,"in":{"a":[1,"two"]}}',
      '{"id":3,"in":{"a":[]},"more":true}',
      'null',
    ]);
    await harness.start();
    await harness.write();
    await harness.stop();
    const [file] = (await publishedFiles(folder)).filter((path) => path.endsWith('.avro'));
    const bytes = await readFile(file!);
    expect(bytes.toString('latin1')).toContain('"doc":"kept"');
    expect(await avroRows(bytes)).toEqual([
      { id: 1, note: 'n', in: { a: [1, 2] } },
      { id: 3, note: null, in: { a: [] } },
    ]);
    expect(harness.refused.map(({ offset, failure }) => [offset, failure.error.code, failure.error.message])).toEqual([
      [1, 'SINK_REJECTED', 'writing Avro: `value.id` is "x", and the schema wants "long"'],
      [2, 'SINK_REJECTED', 'writing Avro: `value.in.a.1` is "two", and the schema wants "int"'],
      [4, 'SINK_REJECTED', expect.stringContaining('writing Avro: the value is null') as string],
    ]);
  });

  test('a schema that is none stops the start', async () => {
    const schema = join(folder, 'event.avsc');
    await writeFile(schema, '{"type":"recrod"}');
    await expect(harnessOf({ format: 'avro', schema })).rejects.toMatchObject({
      code: 'SINK_BLOCKED',
      message: expect.stringContaining(schema) as string,
    });
    await expect(harnessOf({ format: 'avro', schema: join(folder, 'none') })).rejects.toMatchObject({
      code: 'SINK_BLOCKED',
    });
  });
});

test('what a column cannot hold is refused with its name', async () => {
  const harness = await harnessOf({ format: 'parquet', columns });
  harness.append(0, [
    event({ small: 2 ** 31 }),
    event({ big: 2 ** 53 }),
    event({ big: '9223372036854775808' }),
    event({ ok: 'yes' }),
    JSON.stringify({ at: 'yesterday' }),
    '{"at":null}',
    '[1]',
    event({ host: { toString: 1 }, __proto__: 1 }),
  ]);
  await harness.start();
  await harness.write();
  await harness.stop();
  expect(harness.refused.map(({ failure }) => failure.error.message)).toEqual([
    'writing column "small": `value.small` is 2147483648, which is no int',
    'writing column "big": `value.big` is 9007199254740992, which is no long',
    'writing column "big": `value.big` is "9223372036854775808", which is no long',
    'writing column "ok": `value.ok` is "yes", which is no boolean',
    'writing column "at": `value.at` is "yesterday", which is no timestamp',
    'writing column "at": `value.at` is null, and the column is required',
    'writing column "at": `value.at` is missing, and the column is required',
  ]);
});

test('late records go into the folder of their time, and what was published there stays', async () => {
  const path = pathBy(folder, (value) => `day=${(value as { at: string }).at.slice(0, 10)}`);
  const harness = await harnessOf({ format: 'csv', columns: columnsOf([{ name: 'at' }]) }, { path });
  const day = (at: string): string => JSON.stringify({ at });
  harness.append(0, [day('2026-03-01T01:00'), day('2026-03-02T01:00')]);
  await harness.start();
  await harness.write();
  await harness.flush();
  const before = await publishedFiles(folder);
  harness.append(0, [day('2026-03-01T23:59'), day('2026-03-02T02:00')]);
  await harness.write();
  await harness.stop();
  const after = await publishedFiles(folder);
  expect(after.filter((file) => file.includes('day=2026-03-01'))).toHaveLength(2);
  expect(after).toEqual(expect.arrayContaining(before));
  expect(after).toHaveLength(4);
});

test.each([
  [{ format: 'csv' }, 'columns', '`format: csv` wants `columns`'],
  [{ format: 'avro' }, 'columns', '`format: avro` takes one of `columns` and `schema`'],
  [{ format: 'ndjson', columns }, 'columns', '`format: ndjson` has no columns; take csv, avro or parquet'],
  [{ format: 'raw', schema: 'x' }, 'schema', '`schema` is for `format: avro`'],
  [{ format: 'csv', columns: [columns[0], columns[0]] }, 'columns', 'there is a column "at" already'],
  [{ format: 'avro', columns: columnsOf([{ name: 'a b' }]) }, 'columns', 'a name in Avro'],
  [{ format: 'raw', compression: 'snappy' }, 'compression', '`snappy` is for `format: parquet`; take gzip or zstd'],
  [{ format: 'raw', compression_level: 3 }, 'compression_level', '`compression_level` has no effect without'],
  [{ format: 'raw', compression: 'gzip', compression_level: 12 }, 'compression_level', 'gzip has levels from 1 to 9'],
])('options that do not go together are told: %j', (options, place, message) => {
  const problems = sinkDefinition.validate!({ columns: [], ...options } as never);
  expect(problems).toEqual([
    { path: expect.any(Array) as unknown, message: expect.stringContaining(message) as string },
  ]);
  expect(problems[0]!.path[0]).toBe(place);
});
