import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sending } from '../client-row.ts';
import { messages } from '../numbered-messages.ts';
import { Daemon } from './daemon.ts';

/** fluentd follows a file and forwards its lines, acknowledged. */
export async function startFluentd(sending: Sending, compress: 'text' | 'gzip'): Promise<Daemon> {
  const { folder, port } = sending;
  const input = await messages(sending);
  const settings = join(folder, 'fluentd.conf');
  await writeFile(
    settings,
    `<source>
  @type tail
  path ${input}
  pos_file ${join(folder, 'position')}
  tag proof
  read_from_head true
  refresh_interval 1s
  <parse>
    @type none
  </parse>
</source>
<match proof>
  @type forward
  require_ack_response true
  ack_response_timeout 30s
  compress ${compress}
  <server>
    host 127.0.0.1
    port ${port}
  </server>
  <buffer>
    @type memory
    flush_interval 0.2s
  </buffer>
</match>
`,
  );
  return new Daemon('fluentd', ['-c', settings]);
}

/** Fluent Bit does the same. */
export async function startFluentBit(sending: Sending, compress: 'text' | 'gzip'): Promise<Daemon> {
  const { folder, port } = sending;
  const input = await messages(sending);
  const settings = join(folder, 'fluent-bit.conf');
  await writeFile(
    settings,
    `[SERVICE]
    flush 0.2
    grace 1
[INPUT]
    name tail
    path ${input}
    tag proof
    read_from_head on
    refresh_interval 1
[OUTPUT]
    name forward
    match *
    host 127.0.0.1
    port ${port}
    require_ack_response true
    compress ${compress}
    retry_limit no_limits
`,
  );
  return new Daemon('fluent-bit', ['-c', settings]);
}
