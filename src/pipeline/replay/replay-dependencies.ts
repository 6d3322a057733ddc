import { createBufferShare } from '../buffer-share.ts';
import type { LegDependencies } from '../leg.ts';

/** Records of all legs that take part: little is under way at a time. */
const BUFFER_BYTES = 64 * 1024 * 1024;

/** What of its surroundings a replay needs. */
export type ReplaySetting = Pick<
  LegDependencies,
  | 'pipeline'
  | 'hubId'
  | 'group'
  | 'registry'
  | 'references'
  | 'outbound'
  | 'env'
  | 'topicLog'
  | 'clock'
  | 'log'
  | 'metrics'
>;

export function replayDependencies(setting: ReplaySetting): LegDependencies {
  return {
    ...setting,
    pool: createBufferShare(BUFFER_BYTES, 1),
    once: true,
    random: Math.random,
    onChange: () => undefined,
    // Whoever waits for the commit is told as well.
    onLogLost: () => undefined,
  };
}
