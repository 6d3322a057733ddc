import { crashPoints, type CrashPoint } from '../../telemetry/index.ts';

const ofKafka = /^(produce|before-end|end-transaction|before-checkpoint|checkpoint)/;
const ofTransactions = /^(before-end|end-transaction)/;
const ofEmbedded = /^(segment|frame|snapshot|journal)/;
const ofFiles = /^(file|manifest)/;
/** Rarer than a trial lasts, or in nobody's way: retention, and dead letters that a right trial has none of. */
const ofOthers = /^(segment-unlinked|dead-letter)/;

/** The points that a pipeline comes by within a trial. */
export function crashPointsOf(traits: {
  readonly isKafka: boolean;
  readonly isExact: boolean;
  readonly hasFileSink: boolean;
}): readonly CrashPoint[] {
  const { isKafka, isExact, hasFileSink } = traits;
  return (Object.keys(crashPoints) as CrashPoint[]).filter(
    (point) =>
      (isKafka ? !ofEmbedded.test(point) : !ofKafka.test(point)) &&
      (isExact || !ofTransactions.test(point)) &&
      (hasFileSink || !ofFiles.test(point)) &&
      !ofOthers.test(point),
  );
}
