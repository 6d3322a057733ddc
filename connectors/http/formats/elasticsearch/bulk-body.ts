import { SluiceError } from 'sluice/api';
import { skipSpace } from 'sluice/codec';
import { tooManyRecords } from '../faults.ts';
import { TURN_BYTES, type Taken } from '../protocol.ts';
import { ActionLines, type ActionDefaults } from './action-lines.ts';
import type { BulkAnswer } from './bulk-answer.ts';
import { Documents } from './documents.ts';

const LINE_FEED = 0x0a;

/**
 * Gathers the documents of a bulk request and fills in the answer, in turns. Throws `DECODE_INVALID`, in the words of Elasticsearch, where that refuses the whole
 * request; what is wrong with one document is in the answer only.
 */
export function* readBulk(taken: Taken, defaults: ActionDefaults, answer: BulkAnswer): Generator<void, void> {
  const { bytes, maxRecords } = taken;
  if (skipSpace(bytes, 0, bytes.length) === bytes.length)
    throw new SluiceError('DECODE_INVALID', 'request body is required');
  if (bytes[bytes.length - 1] !== LINE_FEED)
    throw new SluiceError('DECODE_INVALID', 'The bulk request must be terminated by a newline [\\n]');
  const actions = new ActionLines(defaults);
  const documents = new Documents(taken);
  let [at, line, items, turnEnd] = [0, 0, 0, TURN_BYTES];
  while (at < bytes.length) {
    const [start, end] = [at, bytes.indexOf(LINE_FEED, at)];
    at = end + 1;
    line++;
    if (skipSpace(bytes, start, end) < end) {
      if (items++ === maxRecords) throw tooManyRecords(maxRecords);
      const action = actions.read(bytes, start, end, line);
      if (action.operation === 'delete') answer.add(action, documents.add(action, end, end));
      else {
        if (at === bytes.length)
          throw new SluiceError('DECODE_INVALID', `the action on line [${line}] has no document behind it`);
        const documentEnd = bytes.indexOf(LINE_FEED, at);
        answer.add(action, documents.add(action, at, withoutReturn(bytes, at, documentEnd)));
        at = documentEnd + 1;
        line++;
      }
    }
    if (at < turnEnd) continue;
    turnEnd = at + TURN_BYTES;
    yield;
  }
}

function withoutReturn(bytes: Buffer, start: number, end: number): number {
  return end > start && bytes[end - 1] === 0x0d ? end - 1 : end;
}
