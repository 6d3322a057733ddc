import type { SourceName } from 'sluice/api';
import type { SourceOptions } from './options.ts';

/** The consumer group that a source is a member of. */
export function sourceGroup(
  { group: own }: Pick<SourceOptions, 'group'>,
  { group, pipeline, name }: SourceName,
): string {
  return own ?? `sluice.${group}.${pipeline}.source.${name}`;
}
