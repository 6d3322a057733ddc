import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ledger } from '../../src/testing/index.ts';

const add = (ledger: Ledger, ...numbers: number[]): void => {
  for (const number of numbers) ledger.add(Buffer.from(`{"n":${number}}`));
};

test('counts what is lost, twice, out of order and strange', () => {
  const ledger = new Ledger({ expected: 6, streamOf: (number) => number % 2 });
  add(ledger, 0, 1, 3, 2, 5, 3, 9);
  for (const strange of ['', 'n', '{"m":1}', '{"n":x}', '{"n":4', '{"n":-1}']) ledger.add(Buffer.from(strange));
  expect(ledger.count()).toEqual({ rows: 13, lost: 1, duplicated: 1, reordered: 1, strange: 7 });
  expect(ledger.missing()).toEqual([4]);
});

test('reads published files, not hidden ones, and sees torn lines', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-ledger-'));
  try {
    await mkdir(join(folder, '.state/x'), { recursive: true });
    await mkdir(join(folder, 'a/b'), { recursive: true });
    await writeFile(join(folder, '.state/x/1.log'), '{"n":0}\n');
    await writeFile(join(folder, 'a/.temp'), '{"n":0}\n');
    await writeFile(join(folder, 'a/b/1.log'), `{"n":1,"p":"${'x'.repeat(3_000_000)}"}\n{"n":2}\n`);
    await writeFile(join(folder, 'a/2.log'), '{"n":3}\n{"n":4}\n{"n');
    const ledger = new Ledger({ expected: 5 });
    await ledger.addFolder(folder);
    expect(ledger.count()).toEqual({ rows: 5, lost: 1, duplicated: 0, reordered: 0, strange: 1 });
  } finally {
    await rm(folder, { recursive: true });
  }
});
