import { WriteLimit } from '../../src/pipeline/write-limit.ts';

const write = (limit: WriteLimit, elapsedMs: number, isPushedBack = false): void => {
  limit.ended(limit.beginning(), { elapsedMs, bytes: 1000, isPushedBack });
};

test('a target that pushes back gets half as much, never less than one write, and more again round by round', () => {
  const limit = new WriteLimit(4);
  expect(limit.value).toBe(4);
  write(limit, 10, true);
  expect(limit.value).toBe(2);
  write(limit, 10, true);
  write(limit, 10, true);
  expect(limit.value).toBe(1);
  write(limit, 10);
  expect(limit.value).toBe(2);
  for (let round = 0; round < 10; round++) write(limit, 10);
  expect(limit.value).toBe(4);
});

test('writes that were out together count once', () => {
  const limit = new WriteLimit(4);
  const begun = limit.beginning();
  for (let one = 0; one < 4; one++) limit.ended(begun, { elapsedMs: 10, bytes: 1000, isPushedBack: true });
  expect(limit.value).toBe(2);
});

test('a target that becomes slow gets less, and what it is now becomes the measure', () => {
  const limit = new WriteLimit(4);
  write(limit, 10);
  for (let one = 0; one < 20; one++) write(limit, 100);
  expect(limit.value).toBe(1);
  for (let one = 0; one < 200; one++) write(limit, 100);
  expect(limit.value).toBe(4);
});

test('larger batches may take longer', () => {
  const limit = new WriteLimit(4);
  write(limit, 10);
  for (let one = 0; one < 20; one++)
    limit.ended(limit.beginning(), { elapsedMs: 100, bytes: 10_000, isPushedBack: false });
  expect(limit.value).toBe(4);
});
