import { join } from 'node:path';
import type { FileSystem } from '../file-system.ts';
import { listIfThere, readWhole } from '../files.ts';
import type { PartitionEnd } from '../journal-frame.ts';
import { isMissing } from '../log-errors.ts';
import { parseSegmentName, segmentName } from '../paths.ts';
import { findHoles, type Hole } from './holes.ts';

export interface SurveyedSegment {
  readonly path: string;
  readonly isMissing: boolean;
  readonly holes: readonly Hole[];
}

export interface PartitionSurvey {
  readonly segments: readonly SurveyedSegment[];
  /** Where the partition begins and ends once the holes are filled. */
  readonly end: PartitionEnd;
}

/**
 * Reads every segment of a partition. With `isCertain` the end is what its journal says; without, `known` is what is left of that, and batches that lie behind it count
 * as well: better twice than not at all.
 */
export async function surveyPartition(
  fileSystem: FileSystem,
  folder: string,
  { known, isCertain }: { readonly known: PartitionEnd; readonly isCertain: boolean },
): Promise<PartitionSurvey> {
  const there = (await listIfThere(fileSystem, folder)).flatMap((name) => parseSegmentName(name) ?? []);
  const bases = basesOf(there, known, isCertain);
  const segments: SurveyedSegment[] = [];
  let end = known;
  for (const [index, base] of bases.entries()) {
    const path = join(folder, segmentName(base));
    const bytes = await readIfThere(fileSystem, path);
    const following = bases[index + 1];
    const isKnownLast = base === known.segment;
    const isEndOpen = following === undefined && !isCertain;
    const isLengthKnown = following === undefined && isKnownLast;
    const survey = findHoles(bytes ?? Buffer.alloc(0), {
      base,
      to: following ?? (isCertain ? known.end : Infinity),
      byteLength: isLengthKnown ? known.bytes : isEndOpen ? 0 : (bytes?.length ?? 0),
      atLeast: isKnownLast ? known.end : base,
      mayGrow: !(isLengthKnown && isCertain),
    });
    segments.push({ path, isMissing: bytes === null, holes: survey.holes });
    if (following === undefined) end = { start: bases[0]!, end: survey.next, segment: base, bytes: survey.byteLength };
  }
  return { segments, end: isCertain ? known : end };
}

/** The segments that must be there, and those that are. */
function basesOf(there: readonly number[], known: PartitionEnd, isCertain: boolean): number[] {
  const isWanted = (base: number): boolean => base >= known.start && (!isCertain || base <= known.segment);
  const bases = new Set(there.filter(isWanted));
  // Without its journal nobody knows what retention took: the partition begins with what is there.
  const mustBeThere = isCertain || there.every((base) => base <= known.segment);
  if (mustBeThere && known.bytes > 0) bases.add(known.segment);
  if (isCertain && known.start < known.segment) bases.add(known.start);
  return [...bases].sort((a, b) => a - b);
}

async function readIfThere(fileSystem: FileSystem, path: string): Promise<Buffer | null> {
  try {
    return await readWhole(fileSystem, path);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}
