import { findCommand } from '../find-command.ts';
import type { FileToKafka, Tool } from '../system.ts';

/** librdkafka's own producer (C); without a key it chooses partitions at random, a batch at a time. */
export const kcat: Tool<FileToKafka> = {
  kind: 'tool',
  name: 'kcat',
  async missing() {
    return (await findCommand('kcat')) === null ? 'kcat is not installed (apt-get install kcat)' : null;
  },
  prepare({ brokers, topic, codec, input }) {
    const parameters = ['-P', '-b', brokers, '-t', topic, '-z', codec, '-X', 'acks=all', '-l', input];
    return Promise.resolve({ command: 'kcat', parameters });
  },
};
