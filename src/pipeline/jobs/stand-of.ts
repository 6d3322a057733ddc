import type { Assignment } from '../../log/index.ts';
import type { Intent } from './intent.ts';

/**
 * What the saved offsets say of a batch that an earlier life was at. `open`: none of it is saved. `committed`: some of it is, so its job succeeded. `moved`: the offsets are none of its, or
 * those of another topic: an operator reset them, or the topic was made anew.
 */
export function standOf(intent: Intent, assigned: readonly Assignment[]): 'open' | 'committed' | 'moved' {
  let isBegun = false;
  for (const { partition, from, to } of intent.ranges) {
    const now = assigned.find((one) => one.partition === partition);
    if (now?.topic !== intent.topic || now.incarnation !== intent.incarnation) return 'moved';
    if (now.committed !== from && now.committed !== to) return 'moved';
    if (now.committed === to && to !== from) isBegun = true;
  }
  return isBegun ? 'committed' : 'open';
}
