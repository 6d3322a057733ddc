import type { Row } from '../../rows/row.ts';
import { on, testRow } from '../../rows/test-row.ts';
import { proveCalm } from '../spark/prove-calm.ts';
import { proveLanded } from '../spark/prove-landed.ts';
import { proveLivy } from '../spark/prove-livy.ts';
import { proveRanges } from '../spark/prove-ranges.ts';
import { proveTwice } from '../spark/prove-twice.ts';
import { sparkSubmit, standalone } from '../spark/targets.ts';

const component = 'spark';
const fault = 'the hub killed at each step of a batch';

/** Each record is in a range of 200 of them, for one job. */
export const sparkRows: readonly Row[] = [
  {
    name: 'spark-rest',
    component,
    fault: `${fault}; jobs in a cluster, through REST`,
    on: 'one broker',
    by: { lines: 2400, kills: 6, prove: proveRanges({ name: 'sinks-spark-rest', target: standalone }) },
  },
  {
    name: 'spark-submit',
    component,
    fault: `${fault}; jobs in a cluster, by spark-submit`,
    on: 'one broker',
    by: { lines: 1200, kills: 6, prove: proveRanges({ name: 'sinks-spark-submit', target: sparkSubmit }) },
  },
  {
    name: 'spark-landed',
    component,
    fault: `${fault}; landed files, jobs on this machine`,
    on: 'embedded',
    by: { lines: 600, kills: 3, prove: proveLanded },
  },
  {
    name: 'spark-livy',
    component,
    fault: 'the hub killed before the answer; jobs on this machine, through Livy',
    on: 'one broker',
    by: { lines: 200, kills: 1, prove: proveLivy },
  },
  {
    name: 'spark-twice',
    component,
    fault: 'three drivers of one batch at once',
    on: 'one broker',
    by: { lines: 1000, kills: 0, prove: proveTwice },
  },
  {
    name: 'spark-calm',
    component,
    fault: 'nothing; ≤ 50 ms of hub CPU for a batch',
    on: 'one broker',
    by: { lines: 800, kills: 0, prove: proveCalm({ name: 'sinks-spark-calm', target: standalone }) },
  },
  testRow(
    {
      name: 'spark-faults',
      component,
      fault: 'no job file, a driver that throws or hangs, a master restarted before its answer, hostile records',
      on: '–',
    },
    on('connectors/spark/faults.proof.server.test.ts', ''),
  ),
];
