import type { EmbeddedLogState } from './log-state.ts';
import type { Marks } from './marks.ts';

/**
 * The offset of a partition that retention may not pass: the smallest that a sink has saved, of this run or of an earlier one. Infinity when no sink
 * has; 0 while one of this run has not saved where it starts.
 */
export function retentionFloor(state: EmbeddedLogState, marks: Marks, topic: string, partition: number): number {
  if (state.keepsEverything) return 0;
  const fixed = state.topics.find(({ name }) => name === topic)?.fixedFloors[partition] ?? Infinity;
  const moving = state.pipelines.flatMap(({ sinks }) => sinks.filter((sink) => sink.topic === topic));
  return moving.reduce((floor, { slot }) => Math.min(floor, marks.floor(slot + partition) ?? 0), fixed);
}
