import type { DataFolderView } from '../../log/index.ts';
import { RecordView } from '../../record/index.ts';
import { viewFolder, type FolderOptions } from '../data-folder.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { CliIo } from '../io.ts';
import { counted } from '../numbers.ts';
import { jsonLine, printable, printableBytes, textOf } from '../printable.ts';
import { isoTime, timeText } from '../time-text.ts';
import { writeOut } from '../write-out.ts';

export interface LogDumpOptions extends FolderOptions {
  readonly topic: string;
  /** Null for all, one after the other. */
  readonly partition: number | null;
  /** The first offset of each partition; null for what is there. */
  readonly from: number | null;
  readonly limit: number;
  readonly json: boolean;
}

type Topic = DataFolderView['topics'][number];

/** Where a dump ended before the end. */
interface Rest {
  readonly partition: number;
  readonly from: number;
}

/** Prints records as they lie in a topic. */
export async function logDump(options: LogDumpOptions, io: CliIo): Promise<ExitCode> {
  const found = await viewFolder(options, io);
  if ('exit' in found) return found.exit;
  const topic = found.view.topics.find(({ name }) => name === options.topic);
  const refusal = refuse(topic, options, found.view);
  if (refusal !== null) {
    io.stderr.write(`sluice: ${printable(refusal)}\n`);
    return EXIT.usage;
  }
  const { printed, rest } = await dump(found.view, topic!, options, io);
  if (options.json) return EXIT.done;
  const next =
    rest === null
      ? ''
      : ` Go on with: sluice log dump ${topic!.name} --partition ${rest.partition} --from ${rest.from}`;
  // Beside the records, so that these can go into a file.
  io.stderr.write(`${counted(printed, 'record')} of ${topic!.name}.${next}\n`);
  return EXIT.done;
}

function refuse(
  topic: Topic | undefined,
  { topic: name, partition }: LogDumpOptions,
  view: DataFolderView,
): string | null {
  if (topic === undefined) {
    const names = view.topics.map((one) => one.name).join(', ');
    return `there is no topic ${name} in this data folder${names === '' ? '' : `; there are: ${names}`}`;
  }
  if (partition !== null && partition >= topic.partitions) {
    return `topic ${name} has ${counted(topic.partitions, 'partition')}, from 0 to ${topic.partitions - 1}`;
  }
  return null;
}

async function dump(
  view: DataFolderView,
  topic: Topic,
  options: LogDumpOptions,
  io: CliIo,
): Promise<{ readonly printed: number; readonly rest: Rest | null }> {
  const partitions =
    options.partition === null ? Array.from({ length: topic.partitions }, (_, index) => index) : [options.partition];
  let printed = 0;
  for (const partition of partitions) {
    const from = Math.max(options.from ?? 0, topic.starts[partition]!);
    let next = from;
    for await (const text of formatted(view, topic, { partition, from, options, io })) {
      if (printed === options.limit) return { printed, rest: { partition, from: next } };
      if (!(await writeOut(io, text.line))) return { printed, rest: null };
      printed++;
      next = text.next;
    }
  }
  return { printed, rest: null };
}

async function* formatted(
  view: DataFolderView,
  { name: topic, incarnation }: Topic,
  { partition, from, options, io }: { partition: number; from: number; options: LogDumpOptions; io: CliIo },
): AsyncGenerator<{ readonly line: string; readonly next: number }> {
  const records = new RecordView({ decode: (bytes) => bytes });
  for await (const chunk of view.read(topic, partition, { from })) {
    records.clear();
    records.addStored({ topic, partition, incarnation }, chunk, from);
    for (let index = 0; index < records.count; index++) {
      const line = options.json ? jsonLine(objectOf(records, index, partition)) : lineOf(records, index, partition, io);
      yield { line, next: records.offset(index) + 1 };
    }
  }
}

function lineOf(records: RecordView, index: number, partition: number, { stdout }: CliIo): string {
  const key = records.key(index);
  const cells = [
    `${partition}@${records.offset(index)}`,
    timeText(records.timestamp(index), stdout),
    ...(key === null ? [] : [printableBytes(key)]),
    printableBytes(records.value(index)),
  ];
  return `${cells.join('  ')}\n`;
}

function objectOf(records: RecordView, index: number, partition: number): object {
  const text = (bytes: Uint8Array | null): unknown => (bytes === null ? null : textOf(bytes));
  return {
    partition,
    offset: records.offset(index),
    timestamp: isoTime(records.timestamp(index)),
    key: text(records.key(index)),
    headers: Array.from(records.headers(index), ([name, value]) => [name, text(value)]),
    value: text(records.value(index)),
  };
}
