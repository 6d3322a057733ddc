const PREFIX = 'job.';

/** Under which name the positions of a job sink are saved beside those of sources. Names of sources have no dot. */
export function jobIntents(sink: string): string {
  return `${PREFIX}${sink}`;
}
