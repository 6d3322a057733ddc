import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findCommand } from '../find-command.ts';
import type { Daemon, FileToKafka } from '../system.ts';

/** tail to kafka (C). */
export const fluentBit: Daemon<FileToKafka> = {
  kind: 'daemon',
  name: 'Fluent Bit',
  recordsPerSecond: 350_000,
  async missing() {
    return (await findCommand('fluent-bit')) === null ? 'fluent-bit is not installed' : null;
  },
  async prepare(task) {
    const file = join(task.folder, 'fluent-bit.conf');
    await writeFile(file, fluentBitSettings(task));
    return { command: 'fluent-bit', parameters: ['-c', file] };
  },
  ready: (_task, running) =>
    running.until(async () => (await running.output()).includes('stream processor started'), 'fluent-bit to start'),
};

/** Chunks of 256 KiB, its usual advice for busy files; `format raw` sends the line alone, as all others do. */
export function fluentBitSettings({ folder, brokers, topic, codec, input }: FileToKafka): string {
  return `[SERVICE]
    flush 0.2
    grace 1
    log_level info
[INPUT]
    name tail
    path ${input}
    read_from_head on
    refresh_interval 1
    buffer_chunk_size 256k
    buffer_max_size 1M
    skip_long_lines on
    db ${join(folder, 'fluent-bit.db')}
    mem_buf_limit 50M
[OUTPUT]
    name kafka
    match *
    brokers ${brokers}
    topics ${topic}
    format raw
    raw_log_key log
    rdkafka.acks all
    rdkafka.compression.type ${codec}
    rdkafka.queue.buffering.max.ms 50
    rdkafka.queue.buffering.max.messages 500000
    queue_full_retries 0
`;
}
