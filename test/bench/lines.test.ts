import { AccessLog } from '../../bench/lines.ts';

test('lines are JSON of 300 bytes on average, no two alike, and the same each time', () => {
  const source = new AccessLog();
  const lines = source.next(2000).trimEnd().split('\n');
  expect(lines).toHaveLength(2000);
  expect(new Set(lines).size).toBe(2000);
  const statuses = lines.map((line) => (JSON.parse(line) as { readonly status: number }).status);
  expect(statuses.filter((status) => status >= 500)).toHaveLength(source.failures);
  expect(source.failures).toBeGreaterThan(0);
  const bytes = lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
  expect(Math.abs(bytes / lines.length - 300)).toBeLessThan(5);
  const again = new AccessLog();
  expect(again.next(500) + again.next(1500)).toBe(`${lines.join('\n')}\n`);
});
