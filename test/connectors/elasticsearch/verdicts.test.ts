import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readBulkReply, readRefusal } from '../../../connectors/elasticsearch/bulk-reply.ts';
import { judgeAnswer, judgeItem } from '../../../connectors/elasticsearch/verdicts.ts';

interface Case {
  readonly situation: string;
  readonly means: 'accepted' | 'reject' | 'retry' | 'block' | 'split' | 'unknown';
}

/** Answers of a real server, with what is not to be had from one. */
const { items, requests } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../connectors/elasticsearch/fixtures/answers.json'), 'utf8'),
) as {
  items: (Case & { answer: object })[];
  requests: (Case & { status: number; body: string })[];
};

test.each(items)('an item: $situation', ({ answer, means }) => {
  const reply = readBulkReply(Buffer.from(JSON.stringify({ errors: true, items: [answer] })), 1)!;
  const verdicts = reply.refused.map((refusal) => judgeItem(refusal, { hasConstantIndex: false }));
  if (means === 'accepted') expect(verdicts).toEqual([]);
  else {
    const [{ disposition, error }] = verdicts as [(typeof verdicts)[number]];
    expect(disposition).toBe(means === 'unknown' ? 'retry' : means);
    // What the sink does not call retryable the engine tries three times, and never drops.
    expect(error.retryable).toBe(means === 'retry');
    expect(error.message).toMatch(/^indexing a document: HTTP \d+/);
  }
});

test.each(requests)('a request: $situation', ({ status, body, means }) => {
  const verdict = judgeAnswer(readRefusal(Buffer.from(body), status), 'POST http://es-1:9200/_bulk', 3000);
  expect(verdict.disposition).toBe(means);
  expect(verdict.error.retryable).toBe(means === 'retry');
  expect(verdict.error.message).toContain(`POST http://es-1:9200/_bulk: HTTP ${status}`);
  expect(verdict.retryAfterMs).toBe(means === 'retry' ? 3000 : undefined);
});

test('what hits every record says what would help', () => {
  const remedies = [...items.filter(({ means }) => means === 'block')].map(({ answer }) => {
    const { refused } = readBulkReply(Buffer.from(JSON.stringify({ items: [answer] })), 1)!;
    return judgeItem(refused[0]!, { hasConstantIndex: false }).error.message.split('; ').at(-1);
  });
  expect(remedies).toEqual([
    '`mode: keyed` needs an index, not a data stream',
    'create the ingest pipeline, or change `pipeline`',
    'open the index',
    'give the alias a write index',
    'create the index, or allow its creation',
    'lift the block',
    'give these credentials the right to write there',
  ]);
});

test('an index name that no record has chosen is not the fault of a record', () => {
  const refusal = { status: 400, type: 'invalid_index_name_exception', reason: 'Invalid index name [A]' };
  expect(judgeItem(refusal, { hasConstantIndex: true }).disposition).toBe('block');
});

test('a record whose text is quoted in the reason is refused by itself, whatever the text says', () => {
  const texts = [
    'no write index is defined for alias [x]',
    'pipeline with id [x] does not exist',
    'no such index [x] and [require_alias] request flag is [true]',
    'unable to find script [x]',
    'request [/_bulk] contains unrecognized parameter: [x]',
  ];
  for (const text of texts) {
    const reason = `[1:6] failed to parse field [n] of type [long] in document with id '1'. Preview of field's value: '${text}'`;
    const refusal = { status: 400, type: 'document_parsing_exception', reason };
    expect(judgeItem(refusal, { hasConstantIndex: true }).disposition).toBe('reject');
  }
});
