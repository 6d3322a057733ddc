import fc from 'fast-check';
import { readBulkReply, readRefusal } from '../../../connectors/elasticsearch/bulk-reply.ts';

const reply = (text: string | object, count: number): ReturnType<typeof readBulkReply> =>
  readBulkReply(Buffer.from(typeof text === 'string' ? text : JSON.stringify(text)), count);

test('items that went well, that were known, and that were refused', () => {
  const refused = { status: 400, error: { type: 'document_parsing_exception', reason: 'a "quoted"\nreason' } };
  const items = [
    { create: { status: 201 } },
    { create: refused },
    { create: { status: 409, error: { type: 'version_conflict_engine_exception', reason: 'x' } } },
    { delete: { status: 404 } },
    { create: { status: 429, error: { type: 'es_rejected_execution_exception', reason: 'full' } } },
  ];
  const expected = {
    known: 1,
    refused: [
      { item: 1, status: 400, type: 'document_parsing_exception', reason: 'a "quoted"\nreason' },
      { item: 4, status: 429, type: 'es_rejected_execution_exception', reason: 'full' },
    ],
  };
  expect(reply({ errors: true, items }, 5)).toEqual(expected);
  expect(reply(` ${JSON.stringify({ took: 1, items, errors: true }, null, 2)} `, 5)).toEqual(expected);
});

test.each([
  ['too few items', { items: [{ create: { status: 201 } }] }, 2],
  ['too many items', { items: [{ create: { status: 201 } }, { create: { status: 201 } }] }, 1],
  ['no items', { errors: false }, 1],
  ['an item without a status', { items: [{ create: {} }] }, 1],
  ['a status that is none', { items: [{ create: { status: 7 } }] }, 1],
  ['a status in words', { items: [{ create: { status: '201' } }] }, 1],
  ['an item without an operation', { items: [{}] }, 1],
  ['an item that is a number', { items: [201] }, 1],
  ['no object', '[]', 1],
  ['nothing', '', 1],
  ['text', 'OK', 1],
  ['a page', '<html></html>', 1],
  [
    'items that say the same, the last of them cut off',
    '{"items":[{"create":{"status":201}},{"create":{"status":201}',
    2,
  ],
  ['an end that is cut off', '{"items":[{"create":{"status":201}}]', 1],
  ['a member behind the items that is cut off', '{"items":[{"create":{"status":201}}],"errors":fal', 1],
  ['an answer that is cut off', '{"items":[{"create":{"status":201}}', 1],
  ['bytes', '\u0000\u0001', 1],
])('it is no answer to this request: %s', (_what, text, count) => {
  expect(reply(text, count)).toBeNull();
});

test('a depth bomb costs nothing', () => {
  const bomb = Buffer.alloc(32 * 1024 * 1024, '[');
  const before = process.memoryUsage().heapUsed;
  expect(readBulkReply(bomb, 1)).toBeNull();
  expect(readRefusal(bomb, 400)).toEqual({ status: 400, type: '', reason: '' });
  expect(reply(`{"items":[{"create":{"status":201,"x":${'['.repeat(1000)}${']'.repeat(1000)}}}]}`, 1)).toBeNull();
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(16 * 1024 * 1024);
});

test('pages of Java are cut, between characters and outside of escapes', () => {
  for (const piece of ['x', 'ä', '😀', '\n', '"', '\u0001', '\\', 'a\u0007']) {
    for (let shift = 0; shift < 8; shift++) {
      const reason = 'y'.repeat(shift) + piece.repeat(2000);
      const { refused } = reply({ items: [{ create: { status: 400, error: { type: 't', reason } } }] }, 1)!;
      const text = refused[0]!.reason;
      expect(text.length).toBeLessThan(520);
      expect(text.endsWith('…')).toBe(true);
      expect(reason.startsWith(text.slice(0, -1))).toBe(true);
      expect(text.length).toBeGreaterThan(50);
    }
  }
});

test('errors that are a text, or missing', () => {
  expect(readRefusal(Buffer.from('{"error":"no handler","status":400}'), 400).reason).toBe('no handler');
  expect(readRefusal(Buffer.from('{"status":400}'), 400)).toEqual({ status: 400, type: '', reason: '' });
  expect(readRefusal(Buffer.from('{"error":{"type":3,"reason":null}}'), 400)).toEqual({
    status: 400,
    type: '',
    reason: '',
  });
});

test('whatever comes, it is read or it is not, and nothing is thrown', () => {
  const good = JSON.stringify({
    errors: true,
    items: [{ create: { status: 201 } }, { index: { status: 400, error: { type: 'a', reason: 'b\\' } } }],
  });
  const change = fc.record({ at: fc.nat(good.length - 1), byte: fc.nat(255), cut: fc.boolean() });
  fc.assert(
    fc.property(change, ({ at, byte, cut }) => {
      const bytes = Buffer.from(good);
      bytes[at] = byte;
      const read = readBulkReply(cut ? bytes.subarray(0, at) : bytes, 2);
      return read === null || read.refused.every(({ item }) => item < 2);
    }),
  );
});

test('refused items that say the same are all refused', () => {
  const item = { create: { status: 400, error: { type: 'a', reason: 'b' } } };
  const refused = [0, 1, 2].map((index) => ({ item: index, status: 400, type: 'a', reason: 'b' }));
  expect(reply({ errors: true, items: [item, item, item] }, 3)).toEqual({ known: 0, refused });
});

test('one item that says something else of the same length is found wherever it stands', () => {
  const fine = '{"create":{"status":201}}';
  const answer = (items: readonly string[]): string => `{"errors":false,"items":[${items.join(',')}]}`;
  const all = Array.from({ length: 20 }, () => fine);
  expect(reply(answer(all), 20)).toEqual({ known: 0, refused: [] });
  for (let item = 0; item < 20; item++) {
    const refusal = { item, status: 429, type: '', reason: '' };
    expect(reply(answer(all.with(item, fine.replace('201', '409'))), 20)).toEqual({ known: 1, refused: [] });
    expect(reply(answer(all.with(item, fine.replace('201', '429'))), 20)).toEqual({ known: 0, refused: [refusal] });
    expect(reply(answer(all.with(item, fine.replace('201', '2x1'))), 20)).toBeNull();
    expect(reply(answer(all).replace(`${fine},`.repeat(item), `${fine};`.repeat(item)), 20) === null).toBe(item > 0);
  }
});
