import { SluiceError, type Json } from '../../api/index.ts';
import { sinkGroup } from '../../log/index.ts';
import { parseCsv, writeCsv } from './csv.ts';
import type { Entry, LegName, SinkEntry } from './entry.ts';

export type Format = 'json' | 'csv' | 'kafka';

const VERSION = 1;
const HEAD = ['kind', 'pipeline', 'name', 'topic', 'partition', 'position', 'incarnation'];

export interface FormatContext {
  /** Of the hub: names of consumer groups begin with it. */
  readonly group: string;
  /** What the file is about where it does not say so itself. */
  readonly leg: LegName | null;
}

/**
 * `json` and `csv` hold everything. `kafka` is what `kafka-consumer-groups --reset-offsets --export` prints: offsets of sinks, of one as `topic,partition,offset`, of
 * several with their groups in front.
 */
export function formatEntries(
  entries: readonly Entry[],
  format: Format,
  { group }: { readonly group: string },
): string {
  if (format === 'json') return `${JSON.stringify({ version: VERSION, offsets: entries }, null, 2)}\n`;
  if (format === 'csv') return writeCsv([HEAD, ...entries.map(rowOf)]);
  const sinks = entries.filter((entry) => entry.kind === 'sink');
  const groups = new Set(sinks.map((entry) => groupOf(entry, group)));
  return writeCsv(
    sinks.map((entry) => [
      ...(groups.size > 1 ? [groupOf(entry, group)] : []),
      entry.topic,
      String(entry.partition),
      String(entry.position),
    ]),
  );
}

/** Tells the format by the content. Throws `OPTION_INVALID`, with the line. */
export function parseEntries(text: string, context: FormatContext): Entry[] {
  if (text.trimStart().startsWith('{')) return parseJson(text);
  const [head, ...rows] = parseCsv(text);
  if (head?.join() === HEAD.join()) return rows.map((row, index) => entryOfRow(row, index + 2));
  return parseCsv(text).map((row, index) => entryOfKafka(row, index + 1, context));
}

function rowOf(entry: Entry): string[] {
  const { kind, pipeline, leg, partition } = entry;
  const [topic, incarnation] = kind === 'sink' ? [entry.topic, entry.incarnation ?? ''] : ['', ''];
  return [kind, pipeline, leg, topic, String(partition), JSON.stringify(entry.position), incarnation];
}

function entryOfRow(row: readonly string[], line: number): Entry {
  const [kind, pipeline, leg, topic = '', partition, position = '', incarnation = ''] = row;
  return entryOf({ kind, pipeline, leg, topic, partition, position: jsonOf(position), incarnation }, `line ${line}`);
}

function parseJson(text: string): Entry[] {
  const content = jsonOf(text) as { readonly version?: unknown; readonly offsets?: unknown } | null;
  if (content?.version !== VERSION || !Array.isArray(content.offsets))
    throw invalid('the file', `it holds no offsets of version ${VERSION}`);
  return (content.offsets as readonly object[]).map((entry, index) => entryOf(entry, `entry ${index + 1}`));
}

function jsonOf(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

function entryOf(fields: object, where: string): Entry {
  const { kind, pipeline, leg, topic, partition, position, incarnation } = fields as Record<string, Json | undefined>;
  if (typeof pipeline !== 'string' || typeof leg !== 'string') throw invalid(where, 'it names no leg');
  if (kind === 'source' && typeof partition === 'string' && position !== undefined)
    return { kind, pipeline, leg, partition, position };
  const number = partition === '' ? NaN : Number(partition);
  if (kind !== 'sink' || typeof topic !== 'string' || !isCount(number) || !isCount(position))
    throw invalid(
      where,
      'it is neither a source with a partition and a position nor a sink with topic, partition and offset',
    );
  const known = typeof incarnation === 'string' && incarnation !== '' ? incarnation : null;
  return { kind, pipeline, leg, topic, partition: number, incarnation: known, position: position as number };
}

function entryOfKafka(row: readonly string[], line: number, { group: hub, leg }: FormatContext): SinkEntry {
  const [topic, partition, offset] = row.slice(-3);
  const isOffset = [partition, offset].every(
    (text) => text !== undefined && /^\d+$/.test(text) && isCount(Number(text)),
  );
  if (row.length < 3 || row.length > 4 || !isOffset)
    throw invalid(`line ${line}`, 'it is neither topic,partition,offset nor group,topic,partition,offset');
  const name = row.length === 4 ? legOfGroup(row[0]!, hub) : leg;
  if (name === null) {
    const why =
      row.length === 4
        ? `"${row[0]}" is no consumer group of a sink of hub group "${hub}"`
        : 'say of which sink: PIPELINE/NAME';
    throw invalid(`line ${line}`, why);
  }
  const place = { topic: topic!, partition: Number(partition), incarnation: null, position: Number(offset) };
  return { kind: 'sink', pipeline: name.pipeline, leg: name.leg, ...place };
}

function groupOf({ pipeline, leg }: LegName, group: string): string {
  return sinkGroup({ group, pipeline, hubId: '' }, leg);
}

function legOfGroup(name: string, group: string): LegName | null {
  const prefix = `sluice.${group}.`;
  const [, pipeline, leg] =
    /^(.+)\.sink\.([^.]+)$/.exec(name.startsWith(prefix) ? name.slice(prefix.length) : '') ?? [];
  return pipeline === undefined || leg === undefined ? null : { pipeline, leg };
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function invalid(where: string, why: string): SluiceError {
  return new SluiceError('OPTION_INVALID', `reading offsets, ${where}: ${why}`);
}
