import { SluiceError, type PositionTools } from 'sluice/api';
import { PARTITION } from './source.ts';
import type { SourceOptions } from './options.ts';

/** Its position is the number of the next record. */
export const positionTools: PositionTools<SourceOptions> = {
  describe: (partition, position) =>
    partition === PARTITION && typeof position === 'number' ? { place: PARTITION, offset: position } : null,
  plan({ count }, { to, place }) {
    if (place !== null && place !== PARTITION)
      return Promise.reject(refused(`to ${place}`, `it has ${PARTITION} only`));
    const end = to.kind === 'latest' ? count : undefined;
    if (to.kind === 'time') return Promise.reject(refused('to a time', 'its records have none before they are made'));
    if (to.kind === 'latest' && end === undefined)
      return Promise.reject(refused('to its end', 'without `count` there is none'));
    const position = to.kind === 'offset' ? to.offset : (end ?? 0);
    return Promise.resolve({ changes: [{ partition: PARTITION, position }], left: [] });
  },
};

function refused(where: string, why: string): SluiceError {
  return new SluiceError('OPTION_INVALID', `moving a generator ${where}: ${why}`);
}
