import { Ledger, type LedgerCount } from '../../src/testing/index.ts';

export { publishedFiles } from '../../src/testing/index.ts';

/** Counts `"n":NUMBER` of each line in all published files below `folder`. In a stream numbers have to rise. */
export async function countPublished(
  folder: string,
  expected: number,
  streamOf?: (number: number) => number,
): Promise<LedgerCount> {
  const ledger = new Ledger({ expected, ...(streamOf === undefined ? {} : { streamOf }) });
  await ledger.addFolder(folder);
  return ledger.count();
}
