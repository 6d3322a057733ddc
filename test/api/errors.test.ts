import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeError, errorCatalogue, SluiceError } from '../../src/api/index.ts';

const root = join(import.meta.dirname, '..', '..');

function sources(): readonly string[] {
  return ['src', 'connectors'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && name !== join('api', 'errors.ts'))
      .map((name) => readFileSync(join(root, folder, name), 'utf8')),
  );
}

test('every code of the catalogue is used', () => {
  const texts = sources();
  expect(texts.length).toBeGreaterThan(100);
  const unused = Object.keys(errorCatalogue).filter((code) => !texts.some((text) => text.includes(`'${code}'`)));
  expect(unused).toEqual([]);
});

test('a code says what it means in a sentence', () => {
  for (const meaning of Object.values(errorCatalogue)) expect(meaning).toMatch(/^[A-Z].*\.$/);
});

test('an error is described with its causes, whatever was thrown', () => {
  const cause = new Error('ENOSPC: no space left on device');
  expect(describeError(new SluiceError('LOG_FULL', 'saving "x"', { cause }))).toBe(
    'saving "x": ENOSPC: no space left on device',
  );
  expect(describeError('text')).toBe('text');
  const circular = new Error('a');
  circular.cause = circular;
  expect(describeError(circular)).toBe('a: a: a: a: a');
});
