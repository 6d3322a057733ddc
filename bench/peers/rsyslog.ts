import { mkdir, readdir, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findCommand } from '../find-command.ts';
import type { RunningProgram } from '../process.ts';
import type { Daemon, FileToKafka } from '../system.ts';

/** Where Debian, Fedora and others have its modules. */
const modules = [
  '/usr/lib/x86_64-linux-gnu/rsyslog',
  '/usr/lib/aarch64-linux-gnu/rsyslog',
  '/usr/lib64/rsyslog',
  '/usr/lib/rsyslog',
];

/** imfile to omkafka (C). */
export const rsyslog: Daemon<FileToKafka> = {
  kind: 'daemon',
  name: 'rsyslog',
  recordsPerSecond: 350_000,
  async missing() {
    if ((await findCommand('rsyslogd')) === null)
      return 'rsyslog is not installed (apt-get install rsyslog rsyslog-kafka)';
    const files = await Promise.all(modules.map((folder) => readdir(folder).catch(() => [])));
    return files.flat().includes('omkafka.so') ? null : 'rsyslog has no omkafka (apt-get install rsyslog-kafka)';
  },
  async prepare(task) {
    const file = join(task.folder, 'rsyslog.conf');
    await mkdir(join(task.folder, 'state'));
    await writeFile(file, rsyslogSettings(task));
    const command = (await findCommand('rsyslogd')) ?? 'rsyslogd';
    // In the foreground, without a pid file.
    return { command, parameters: ['-n', '-iNONE', '-f', file] };
  },
  ready: (_task, running) => running.until(() => watchesFiles(running), 'rsyslog to watch its folder'),
};

/**
 * An asynchronous queue of the ruleset with batches of 4,096 takes a third less wall time than the defaults, at the same CPU; a second worker, other
 * kinds of queues and longer waits in librdkafka gain nothing. What Kafka does not take is sent again, for ever, as the hub does.
 */
export function rsyslogSettings({ folder, brokers, topic, codec, input }: FileToKafka): string {
  const state = join(folder, 'state');
  const client = [
    'acks=all',
    `compression.codec=${codec}`,
    'queue.buffering.max.ms=50',
    'queue.buffering.max.messages=400000',
  ];
  return `global(workDirectory="${state}" maxMessageSize="64k")
module(load="imfile" mode="inotify")
module(load="omkafka")
template(name="line" type="string" string="%msg%")
ruleset(name="kafka" queue.type="FixedArray" queue.size="200000" queue.dequeueBatchSize="4096" queue.workerThreads="1") {
  action(type="omkafka" broker=["${brokers.split(',').join('","')}"] topic="${topic}" template="line" partitions.auto="on"
         confParam=[${client.map((setting) => `"${setting}"`).join(',')}]
         errorFile="${join(state, 'errors')}" resubmitOnFailure="on" keepFailedMessages="on" failedMsgFile="${join(state, 'failed')}"
         action.resumeRetryCount="-1")
}
input(type="imfile" File="${input}" Tag="bench:" ruleset="kafka" addMetadata="off" addCeeTag="off" freshStartTail="off")
`;
}

/** It says nothing when it is ready. */
async function watchesFiles({ pid }: RunningProgram): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  const names = await readdir(folder).catch(() => []);
  const targets = await Promise.all(names.map((name) => readlink(join(folder, name)).catch(() => '')));
  return targets.includes('anon_inode:inotify');
}
