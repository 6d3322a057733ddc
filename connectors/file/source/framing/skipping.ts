import type { TailedFile } from '../tailed-file.ts';
import type { Cutter, FileBytes } from './cutter.ts';

/** Passes over the rest of a record that was too long, from `at` on; returns how far. */
export function skipRest(file: TailedFile, block: FileBytes, cutter: Cutter, at: number): number {
  const next = file.skipTo === null ? cutter.findNext(block, at) : file.skipTo - block.from;
  if (next < 0 || next > block.end) return Math.max(at, cutter.lastUnit(block));
  file.isSkipping = false;
  file.skipTo = null;
  return next;
}

/** The record that the cutter did not find the end of was too long: its rest is passed over. Returns how far it is already. */
export function beginSkipping(file: TailedFile, block: FileBytes, cutter: Cutter): number {
  file.isSkipping = true;
  file.skipTo = cutter.next < 0 ? null : block.from + cutter.next;
  return cutter.lastUnit(block);
}
