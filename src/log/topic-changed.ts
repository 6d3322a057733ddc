import { SluiceError } from '../api/index.ts';

/** For a `keyed` subscription: what the sink has written hangs on offsets that mean something else now. `change` is a sentence without its full stop. */
export function topicChanged(topic: string, change: string): SluiceError {
  return new SluiceError(
    'TOPIC_CHANGED',
    `reading topic "${topic}": ${change}, and the versions of what this sink has written hang on its offsets. ` +
      'Write to a new index, or take versions from a timestamp or a field, or accept that older versions win: each under a new name of the sink, which then starts anew',
  );
}
