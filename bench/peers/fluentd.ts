import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findCommand } from '../find-command.ts';
import type { Daemon, FileToKafka } from '../system.ts';

/** in_tail to rdkafka2 (Ruby, its Kafka output in C). */
export const fluentd: Daemon<FileToKafka> = {
  kind: 'daemon',
  name: 'fluentd',
  codecs: ['lz4'],
  recordsPerSecond: 30_000,
  async missing() {
    return (await findCommand('fluentd')) === null ? 'fluentd is not installed' : null;
  },
  async prepare(task) {
    const file = join(task.folder, 'fluent.conf');
    await writeFile(file, fluentdSettings(task));
    return { command: 'fluentd', parameters: ['-c', file] };
  },
  ready: (_task, running) =>
    running.until(async () => (await running.output()).includes('worker is now running'), 'fluentd to start'),
};

/** Chunks of 8 MiB in memory, which its file buffer would only slow; it reads no faster by more lines at once. */
export function fluentdSettings({ folder, brokers, topic, codec, input }: FileToKafka): string {
  return `<source>
  @type tail
  path ${input}
  pos_file ${join(folder, 'position')}
  tag bench
  read_from_head true
  refresh_interval 1s
  read_lines_limit 5000
  <parse>
    @type none
  </parse>
</source>
<match bench>
  @type rdkafka2
  brokers ${brokers}
  default_topic ${topic}
  required_acks -1
  compression_codec ${codec}
  <format>
    @type single_value
    message_key message
    add_newline false
  </format>
  <buffer>
    @type memory
    flush_interval 0.5s
    chunk_limit_size 8m
    total_limit_size 256m
    overflow_action block
  </buffer>
</match>
`;
}
