import type { CodecFault } from 'sluice/codec';
import { Refusal } from 'sluice/toolkit';
import type { BodyFormat } from './content-type.ts';

const LINE_FEED = 0x0a;

const remedies: Readonly<Record<BodyFormat, string>> = {
  json: 'send a JSON value or an array of them',
  ndjson: 'send one JSON value a line',
  text: 'send lines of text',
};

/** The answer for a body that is refused: where, what, and what would help. Nothing of the request was taken. */
export function bodyFault(
  bytes: Buffer,
  { code, at, reason }: CodecFault,
  { format, isGuessed }: { readonly format: BodyFormat; readonly isGuessed: boolean },
): Refusal {
  const { line, column } = placeOf(bytes, at);
  return new Refusal(
    code === 'RECORD_TOO_LARGE' ? 413 : 400,
    `line ${line}, column ${column}: ${reason}; ${remedyFor(code, format, isGuessed)}; nothing of this request was taken`,
    { fields: { code, line, column, byte: at } },
  );
}

export function tooManyRecords(limit: number): Refusal {
  return new Refusal(413, `the request holds more than ${limit} records; send them in smaller requests`);
}

function remedyFor(code: CodecFault['code'], format: BodyFormat, isGuessed: boolean): string {
  switch (code) {
    case 'RECORD_TOO_LARGE':
      return 'split the record';
    case 'DECODE_DEPTH':
    case 'DECODE_KEYS':
      return 'make the record simpler, or post it as text/plain';
    case 'DECODE_INVALID':
      return isGuessed ? `${remedies[format]}, or name the Content-Type` : remedies[format];
  }
}

/** Both count from 1; columns are bytes. */
function placeOf(bytes: Buffer, at: number): { line: number; column: number } {
  let line = 1;
  let lineStart = 0;
  // By hand: a call for each of millions of line feeds would hold up everybody else.
  for (let index = 0; index < at; index++) {
    if (bytes[index] !== LINE_FEED) continue;
    line++;
    lineStart = index + 1;
  }
  return { line, column: at - lineStart + 1 };
}
