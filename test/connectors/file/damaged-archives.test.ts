import { writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { createRecordEnds } from '../../../connectors/file/source/framing/record-ends.ts';
import type { FramingSettings } from '../../../connectors/file/source/framing/settings.ts';
import { seededRandom } from '../../../src/testing/index.ts';
import { fileLife } from './support/life.ts';
import { plainLines } from './support/source.ts';

const RECORDS = 2000;
const texts = Array.from({ length: RECORDS }, (_, index) => `${index}: ${'語x'.repeat(index % 17)}`);

/** Records in the form of a framing, and where each ends. */
function encoded(write: (text: string) => Buffer): { readonly bytes: Buffer; readonly ends: readonly number[] } {
  const ends: number[] = [];
  const bytes = Buffer.concat(texts.map(write));
  let end = 0;
  for (const text of texts) ends.push((end += write(text).length));
  return { bytes, ends };
}

function counted(text: string): Buffer {
  const value = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(value.length);
  return Buffer.concat([length, value]);
}

const forms: readonly (readonly [string, Partial<FramingSettings>, (text: string) => Buffer])[] = [
  ['lines', {}, (text) => Buffer.from(`${text}\n`)],
  ['nul', { framing: 'nul' }, (text) => Buffer.from(`${text}\0`)],
  ['length', { framing: 'length', byteOrder: 'little' }, counted],
  ['utf-16le', { encoding: 'utf-16le' }, (text) => Buffer.from(`${text}\n`, 'utf16le')],
  ['utf-16be', { encoding: 'utf-16be' }, (text) => Buffer.from(`${text}\n`, 'utf16le').swap16()],
];

const life = fileLife();
const { at } = life;

test.each(forms)(
  '%s: a damaged archive gives its whole records, and the torn one as a dead letter',
  async (_, framing, write) => {
    const { bytes, ends } = encoded(write);
    const archive = gzipSync(bytes, { level: 1 });
    await writeFile(at('a.gz'), archive.subarray(0, Math.floor(archive.length * 0.6)));
    const source = await life.started({ framing, archiveWaitMs: 0 }, { once: true });
    await source.ended;
    expect(source.values).toEqual(texts.slice(0, source.count));
    expect(source.count).toBeGreaterThan(100);
    const last = ends[source.count - 1]!;
    expect(source.rejected).toMatchObject([{ error: { code: 'ARCHIVE_DAMAGED' }, position: `${at('a.gz')}@${last}` }]);
    const torn = Buffer.from(source.rejected[0]!.value!);
    expect(torn.length).toBeLessThan(write(texts[source.count]!).length);
    expect(torn.equals(bytes.subarray(last, last + torn.length))).toBe(true);
  },
);

test('file: a damaged archive of a whole file is no record at all', async () => {
  const archive = gzipSync(encoded((text) => Buffer.from(`${text}\n`)).bytes);
  await writeFile(at('a.gz'), archive.subarray(0, archive.length - 100));
  const source = await life.started({ framing: { framing: 'file' }, archiveWaitMs: 0 }, { once: true });
  await source.ended;
  expect(source.values).toEqual([]);
  expect(source.rejected).toMatchObject([{ error: { code: 'ARCHIVE_DAMAGED' }, position: `${at('a.gz')}@0` }]);
});

test.each(forms)(
  '%s: wherever the bytes are parted, and wherever they end, the last whole record is known',
  (_, framing, write) => {
    const { bytes, ends } = encoded(write);
    const random = seededRandom(7);
    for (let round = 0; round < 200; round++) {
      const length = 4 + Math.floor(random() * 3000);
      const known = createRecordEnds({ ...plainLines, ...framing });
      for (let from = 0; from < length;) {
        const to = Math.min(length, from + (from === 0 ? 4 : 1) + Math.floor(random() ** 3 * 200));
        known.add(bytes.subarray(from, to), from);
        from = to;
      }
      expect({ length, last: known.last }).toEqual({ length, last: ends.findLast((end) => end <= length) ?? 0 });
    }
  },
);
