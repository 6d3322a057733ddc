import type { ParquetWriter } from 'hyparquet-writer';
import type { Cell, Column, ColumnType } from '../columns.ts';
import type { PlainBytes } from './plain-bytes.ts';

type SchemaElement = ParquetWriter['schema'][number];

interface PhysicalType {
  readonly element: Partial<SchemaElement>;
  readonly put: (bytes: PlainBytes, cell: Cell) => void;
  /** Worth a look for values that come again: of the others 8 bytes each compress well by themselves. */
  readonly hasDictionary: boolean;
}

const putText = (bytes: PlainBytes, cell: Cell): void => {
  bytes.putText(cell as string);
};
const putInt64 = (bytes: PlainBytes, cell: Cell): void => {
  bytes.putInt64(cell as number | bigint);
};

/** How the types of columns are stored. Booleans are packed into bits beside this. */
export const physicalTypes: Readonly<Record<ColumnType, PhysicalType>> = {
  string: { element: { type: 'BYTE_ARRAY', converted_type: 'UTF8' }, put: putText, hasDictionary: true },
  int: {
    element: { type: 'INT32' },
    put: (bytes, cell) => {
      bytes.putInt32(cell as number);
    },
    hasDictionary: true,
  },
  long: { element: { type: 'INT64' }, put: putInt64, hasDictionary: false },
  float: {
    element: { type: 'FLOAT' },
    put: (bytes, cell) => {
      bytes.putFloat(cell as number);
    },
    hasDictionary: false,
  },
  double: {
    element: { type: 'DOUBLE' },
    put: (bytes, cell) => {
      bytes.putDouble(cell as number);
    },
    hasDictionary: false,
  },
  boolean: { element: { type: 'BOOLEAN' }, put: () => undefined, hasDictionary: false },
  timestamp: {
    element: { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' },
    put: putInt64,
    hasDictionary: false,
  },
  // Text already: the writer's own JSON type would encode it once more.
  json: { element: { type: 'BYTE_ARRAY', converted_type: 'UTF8' }, put: putText, hasDictionary: true },
};

export function schemaOf(columns: readonly Column[]): SchemaElement[] {
  return [
    { name: 'record', num_children: columns.length },
    ...columns.map(({ name, type, required }) => ({
      name,
      ...physicalTypes[type].element,
      repetition_type: required ? ('REQUIRED' as const) : ('OPTIONAL' as const),
    })),
  ];
}
