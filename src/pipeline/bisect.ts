import type { WriteBatch } from './write-batch.ts';

/** Two batches of half the records each, in order: the one that is refused is halved again, until the guilty record is alone. Releases `batch`. */
export function bisect(batch: WriteBatch): WriteBatch[] {
  const middle = batch.count >>> 1;
  const halves = [batch.select(range(0, middle)), batch.select(range(middle, batch.count))];
  batch.release();
  return halves.filter((half) => half !== null);
}

function* range(first: number, end: number): Iterable<number> {
  for (let index = first; index < end; index++) yield index;
}
