import type { Row } from '../../rows/row.ts';
import { proveTail } from '../../tail.ts';
import { proveLongLine, proveManyFiles } from '../load-files.ts';
import { proveIdle, proveSlowLoris } from '../load-http.ts';
import { provePushOutage } from '../push-outage.ts';

export const loadRows: readonly Row[] = [
  {
    name: 'tail-model',
    component: 'file',
    fault: '5,000 random sequences of writes, renames, copytruncates, stops, kills and starts',
    on: 'embedded',
    by: { lines: 5000, kills: 0, prove: proveTail },
  },
  {
    name: 'kafka-away-push',
    component: 'listeners',
    fault: 'the broker gone for a third of the load: clients are refused or held, never told that something is safe',
    on: 'one broker',
    by: { lines: 180_000, kills: 0, prove: provePushOutage },
  },
  {
    name: 'many-files',
    component: 'file',
    fault: '10,000 files, 64 of them open',
    on: 'embedded',
    by: { lines: 10_000, kills: 0, prove: proveManyFiles },
  },
  {
    name: 'long-line',
    component: 'file',
    fault: 'a line of 100 MB',
    on: 'embedded',
    by: { lines: 2, kills: 0, prove: proveLongLine },
  },
  {
    name: 'slow-loris',
    component: 'http',
    fault: '5,000 sockets that send a byte each ten seconds, beside a normal client',
    on: 'embedded',
    by: { lines: 5000, kills: 0, prove: proveSlowLoris },
  },
  {
    name: 'idle-connections',
    component: 'forward',
    fault: '2,000 connections on which nothing comes',
    on: 'embedded',
    by: { lines: 2000, kills: 0, prove: proveIdle },
  },
];
