import { SluiceError } from '../../api/index.ts';
import type { LegKind, LegName } from './entry.ts';
import type { OffsetsState } from './offsets-state.ts';

/** Which of the two a name means, by what is configured and what is saved. Throws `OPTION_INVALID` when it is neither or both. */
export function kindOf(
  { plan, view }: Pick<OffsetsState, 'plan' | 'view'>,
  { pipeline, leg }: LegName,
  told: LegKind | null,
): LegKind {
  const configured = plan?.pipelines.find(({ name }) => name === pipeline);
  const saved = view.pipelines.find((one) => one.pipeline === pipeline);
  const isSource =
    configured?.sources.some(({ name }) => name === leg) === true ||
    saved?.sources.some(({ source }) => source === leg) === true;
  const isSink =
    configured?.sinks.some(({ name }) => name === leg) === true ||
    saved?.sinks.some(({ sink }) => sink === leg) === true;
  const name = `${pipeline}/${leg}`;
  if (told !== null && (told === 'source' ? isSource : isSink)) return told;
  if (!isSource && !isSink)
    throw new SluiceError('OPTION_INVALID', `looking for ${name}: no pipeline has it, and nothing is saved of it`);
  if (told !== null || (isSource && isSink))
    throw new SluiceError(
      'OPTION_INVALID',
      `looking for ${name}: ${told === null ? 'there is a source and a sink of that name; say which: --source or --sink' : `it is no ${told}`}`,
    );
  return isSource ? 'source' : 'sink';
}
