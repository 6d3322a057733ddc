import { randomBytes } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import avro, { type Schema, type Type } from 'avsc';
import { SluiceError, type RecordBatch } from 'sluice/api';
import { BlockBody, NOTHING, type Part, type RowContent } from './content.ts';
import { described, RowReader, type Cell, type Column, type ColumnType } from './columns.ts';
import { zstdBy } from './compressed-lines.ts';

export type AvroCodec = 'null' | 'deflate' | 'zstandard';

export interface AvroOptions {
  /** Either what stood in a schema file, or columns. */
  readonly schema: { readonly text: string; readonly path: string } | readonly Column[];
  readonly codec: AvroCodec;
  readonly level: number | undefined;
}

const MAGIC = Buffer.from('Obj\x01', 'latin1');
const SYNC_LENGTH = 16;
const metadata = avro.Type.forSchema({ type: 'map', values: 'bytes' });
const count = avro.Type.forSchema('long');

/** Avro's object container files (specification 1.11). Throws `SINK_BLOCKED` for a schema that is none. */
export function avroContent({ schema, codec, level }: AvroOptions): RowContent {
  const [type, encode] = 'text' in schema ? ofSchema(schema) : ofColumns(schema);
  const compress = compressorOf(codec, level);
  return {
    kind: 'rows',
    ending: '.avro',
    addTo: (rows, batch, index) => {
      rows.push(encode(batch, index));
    },
    begin: () => new AvroBody({ schema: JSON.stringify(type.schema({ exportAttrs: true })), codec, compress }),
  };
}

type Encoder = (batch: RecordBatch, index: number) => Buffer;

/** A value has the shape of the schema; `null` or a type in a union stand without the wrapping of Avro's JSON. */
function ofSchema({ text, path }: { text: string; path: string }): [Type, Encoder] {
  let type: Type;
  try {
    type = avro.Type.forSchema(JSON.parse(text) as Schema, { wrapUnions: 'auto' });
  } catch (error) {
    throw new SluiceError('SINK_BLOCKED', `reading Avro schema "${path}"`, { cause: error });
  }
  return [
    type,
    (batch, index) => {
      const { value } = batch.record(index);
      try {
        return type.toBuffer(value);
      } catch (error) {
        throw new SluiceError('SINK_REJECTED', `writing Avro: ${faultOf(type, value) ?? (error as Error).message}`);
      }
    },
  ];
}

function faultOf(type: Type, value: unknown): string | null {
  let fault: string | null = null;
  type.isValid(value, {
    errorHook: (path: string[], found: unknown, wanted: Type) => {
      const place = path.length === 0 ? 'the value' : `\`value.${path.join('.')}\``;
      const what = found === undefined ? 'missing' : found === null ? 'null' : described(found);
      fault ??= `${place} is ${what}, and the schema wants ${wanted.toString().slice(0, 100)}`;
    },
  });
  return fault;
}

const types: Record<ColumnType, Schema> = {
  string: 'string',
  int: 'int',
  long: 'long',
  float: 'float',
  double: 'double',
  boolean: 'boolean',
  timestamp: { type: 'long', logicalType: 'timestamp-millis' },
  json: 'string',
};

/** All 64 bits: avsc's own stops at 2^53. */
const wholeLong = avro.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer(long: bigint | number) {
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeBigInt64LE(BigInt(long));
    return bytes;
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (long: unknown) => typeof long === 'bigint' || Number.isSafeInteger(long),
  compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
});

function ofColumns(columns: readonly Column[]): [Type, Encoder] {
  const schema: Schema = {
    type: 'record',
    name: 'Record',
    fields: columns.map(({ name, type, required }) => ({
      name,
      type: required ? types[type] : (['null', types[type]] as Schema),
    })),
  };
  const type = avro.Type.forSchema(schema, { wrapUnions: 'never', registry: { long: wholeLong } });
  const reader = new RowReader(columns);
  const names = columns.map(({ name }) => name);
  return [type, (batch, index) => type.toBuffer(named(names, reader.rowOf(batch, index)))];
}

function named(names: readonly string[], cells: readonly Cell[]): Record<string, Cell> {
  const row: Record<string, Cell> = {};
  for (const [at, name] of names.entries()) row[name] = cells[at]!;
  return row;
}

function compressorOf(codec: AvroCodec, level: number | undefined): (bytes: Uint8Array) => Uint8Array {
  if (codec === 'null') return (bytes) => bytes;
  if (codec === 'zstandard') return zstdBy(level);
  return (bytes) => deflateRawSync(bytes, level === undefined ? {} : { level });
}

interface AvroFile {
  readonly schema: string;
  readonly codec: AvroCodec;
  readonly compress: (bytes: Uint8Array) => Uint8Array;
}

class AvroBody extends BlockBody {
  readonly block = 256 * 1024;
  readonly #file: AvroFile;
  readonly #sync = randomBytes(SYNC_LENGTH);
  #rows: Buffer[] = [];
  #hasHeader = false;

  constructor(file: AvroFile) {
    super();
    this.#file = file;
  }

  protected take({ rows }: Part): number {
    let size = 0;
    for (const row of rows as readonly Buffer[]) {
      this.#rows.push(row);
      size += row.length;
    }
    return size;
  }

  protected encodeBlock(): Uint8Array {
    if (this.#rows.length === 0) return NOTHING;
    const data = this.#file.compress(Buffer.concat(this.#rows));
    const block = [count.toBuffer(this.#rows.length), count.toBuffer(data.length), data, this.#sync];
    return Buffer.concat(this.#hasHeader ? block : [this.#header(), ...block]);
  }

  protected clear(): void {
    this.#hasHeader = true;
    this.#rows = [];
  }

  #header(): Buffer {
    const { schema, codec } = this.#file;
    const entries = { 'avro.schema': Buffer.from(schema), 'avro.codec': Buffer.from(codec) };
    return Buffer.concat([MAGIC, metadata.toBuffer(entries), this.#sync]);
  }
}
