import type { RecordBatch } from 'sluice/api';

export type ConsoleFormat = 'pretty' | 'ndjson';

/** Longer values are cut for people; programs get everything. */
const MAX_PRETTY_CHARACTERS = 2000;

const text = new TextDecoder();
const strictText = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** One record as a line, with its line feed. */
export function formatRecord(
  batch: RecordBatch,
  index: number,
  where: { format: ConsoleFormat; partition: number; topic: string },
): string {
  return where.format === 'pretty' ? prettyLine(batch, index, where.partition) : jsonLine(batch, index, where);
}

function prettyLine(batch: RecordBatch, index: number, partition: number): string {
  const time = new Date(batch.timestamp(index)).toISOString().slice(11, 23);
  const key = batch.key(index);
  const value = batch.value(index);
  const keyPart = key === null ? '' : `${printable(text.decode(key))}  `;
  return `${time}  ${partition}@${batch.offset(index)}  ${keyPart}${value === null ? '(null)' : printable(text.decode(value))}\n`;
}

// Records come from anywhere: none may move the cursor, change colours or set the title of somebody's terminal.
function printable(value: string): string {
  const cut =
    value.length > MAX_PRETTY_CHARACTERS
      ? `${value.slice(0, MAX_PRETTY_CHARACTERS)}… (${grouped(value.length)} characters)`
      : value;
  return cut.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, escaped);
}

function escaped(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  if (character === '\r') return '\\r';
  return `\\u{${character.codePointAt(0)!.toString(16)}}`;
}

function jsonLine(
  batch: RecordBatch,
  index: number,
  { topic, partition }: { topic: string; partition: number },
): string {
  const headers = [...batch.headers(index)].map(([name, value]) => [name, textOf(value)]);
  const record = {
    topic,
    partition,
    offset: batch.offset(index),
    timestamp: batch.timestamp(index),
    key: textOf(batch.key(index)),
    ...(headers.length === 0 ? {} : { headers }),
  };
  // The value goes in as it is: parsed and printed again, large numbers would change.
  return `${JSON.stringify(record).slice(0, -1)},"value":${jsonOf(batch.value(index))}}\n`;
}

/** Bytes that are no text come as base64, in an object that says so. */
function textOf(bytes: Uint8Array | null): string | { readonly base64: string } | null {
  if (bytes === null) return null;
  try {
    return strictText.decode(bytes);
  } catch {
    return { base64: Buffer.from(bytes).toString('base64') };
  }
}

function jsonOf(bytes: Uint8Array | null): string {
  const value = textOf(bytes);
  if (typeof value !== 'string') return JSON.stringify(value);
  try {
    JSON.parse(value);
    return value.replace(/[\r\n]/g, ' ');
  } catch {
    return JSON.stringify(value);
  }
}

/** 1,204,332 */
export function grouped(number: number): string {
  return number.toLocaleString('en-US');
}
