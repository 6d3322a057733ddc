import { readFilebeat } from './filebeat.ts';
import { readFluentBit } from './fluent-bit.ts';
import { readFluentd } from './fluentd.ts';
import type { ReadRecords } from './foreign-record.ts';
import { readSincedb } from './sincedb.ts';
import { readTaildir } from './taildir.ts';

/** By the name that `sluice offsets import --from` takes. */
export const readers: Readonly<Record<string, ReadRecords>> = {
  taildir: readTaildir,
  sincedb: readSincedb,
  fluentd: readFluentd,
  filebeat: readFilebeat,
  'fluent-bit': readFluentBit,
};
