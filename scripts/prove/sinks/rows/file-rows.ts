import type { Row } from '../../rows/row.ts';
import { lacks } from '../../sources/peers/prepared.ts';
import { proveReadBack } from '../read-back.ts';

export const fileRows: readonly Row[] = [
  {
    name: 'read-back',
    component: 'file',
    fault:
      'Parquet read by pyarrow, Avro by fastavro: all codecs, all types with the ends of their ranges, nested values by a schema',
    on: 'embedded',
    missing: lacks(['python3', 'apt-get install python3-pip']),
    by: { lines: 20_000, kills: 0, long: { lines: 200_000, kills: 0 }, prove: proveReadBack },
  },
];
