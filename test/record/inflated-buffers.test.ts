import { InflatedBuffers } from '../../src/record/inflated-buffers.ts';

const MIB = 1024 * 1024;
const source = Buffer.allocUnsafeSlow(100);

test('joins the parts in their order, and frees the large ones but no part of the source', () => {
  const buffers = new InflatedBuffers();
  const stored = Buffer.allocUnsafeSlow(70_000).fill('s');
  const parts = [Buffer.allocUnsafeSlow(80_000).fill('p'), stored, Buffer.from('small')];
  const joined = buffers.join(parts, stored);
  expect(joined.toString()).toBe(`${'p'.repeat(80_000)}${'s'.repeat(70_000)}small`);
  expect(parts.map(({ buffer }) => buffer.byteLength > 0)).toEqual([false, true, true]);
  expect(buffers.owns(joined, stored)).toBe(true);
});

test('takes no memory for what is small, or lies in the source', () => {
  const buffers = new InflatedBuffers();
  const [small, large] = [Buffer.from('small'), Buffer.allocUnsafeSlow(100_000)];
  expect(buffers.join([small], source)).toBe(small);
  expect(buffers.join([large], large)).toBe(large);
  expect(buffers.join([], source)).toHaveLength(0);
  expect(buffers.join([small, small], source).toString()).toBe('smallsmall');
  expect(buffers.owns(small, source) || buffers.owns(large, large)).toBe(false);
});

test('keeps 16 MiB for what comes next, and frees the rest', () => {
  const buffers = new InflatedBuffers();
  const join = (): Buffer => buffers.join([Buffer.allocUnsafeSlow(3 * MIB)], source);
  const lent = Array.from({ length: 5 }, join);
  for (const bytes of lent) buffers.give(bytes);
  const kept = lent.map(({ buffer }) => buffer).filter(({ byteLength }) => byteLength > 0);
  expect(kept).toHaveLength(4);
  const next = Array.from({ length: 5 }, () => join().buffer);
  expect(next.filter((buffer) => kept.includes(buffer))).toHaveLength(4);
});
