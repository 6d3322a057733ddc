import { mkdir, readdir, readlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { findCommand } from '../find-command.ts';
import type { RunningProgram } from '../process.ts';
import type { Daemon, FileToKafka, StreamToKafka } from '../system.ts';

/** Where Debian, Fedora and others have its modules. */
const modules = [
  '/usr/lib/x86_64-linux-gnu/rsyslog',
  '/usr/lib/aarch64-linux-gnu/rsyslog',
  '/usr/lib64/rsyslog',
  '/usr/lib/rsyslog',
];

type Sending = Pick<FileToKafka, 'folder' | 'brokers' | 'topic' | 'codec'>;

/** imfile to omkafka (C). */
export const rsyslog: Daemon<FileToKafka> = {
  ...daemon(rsyslogSettings),
  ready: (_task, running) => running.until(() => watchesFiles(running), 'rsyslog to watch its folder'),
};

/** imtcp to omkafka (C): the value is the message as it came, without its priority, as JSON would cost more. */
export const rsyslogListening: Daemon<StreamToKafka> = {
  ...daemon(listeningSettings),
  ready: ({ port }, running) => running.until(() => isListening(port), 'rsyslog to listen'),
};

function daemon<Task extends Sending>(settings: (task: Task) => string): Omit<Daemon<Task>, 'ready'> {
  return {
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
      await writeFile(file, settings(task));
      const command = (await findCommand('rsyslogd')) ?? 'rsyslogd';
      // In the foreground, without a pid file.
      return { command, parameters: ['-n', '-iNONE', '-f', file] };
    },
  };
}

/**
 * An asynchronous queue of the ruleset with batches of 4,096 takes a third less wall time than the defaults, at the same CPU; a second worker, other
 * kinds of queues and longer waits in librdkafka gain nothing. What Kafka does not take is sent again, for ever, as the hub does.
 */
export function rsyslogSettings(task: FileToKafka): string {
  return `${sendingSettings(task, '%msg%')}module(load="imfile" mode="inotify")
input(type="imfile" File="${task.input}" Tag="bench:" ruleset="kafka" addMetadata="off" addCeeTag="off" freshStartTail="off")
`;
}

function listeningSettings(task: StreamToKafka): string {
  return `${sendingSettings(task, '%rawmsg-after-pri%')}module(load="imtcp")
input(type="imtcp" port="${task.port}" address="127.0.0.1" ruleset="kafka")
`;
}

function sendingSettings({ folder, brokers, topic, codec }: Sending, value: string): string {
  const state = join(folder, 'state');
  const client = [
    'acks=all',
    `compression.codec=${codec}`,
    'queue.buffering.max.ms=50',
    'queue.buffering.max.messages=400000',
  ];
  return `global(workDirectory="${state}" maxMessageSize="64k")
module(load="omkafka")
template(name="line" type="string" string="${value}")
ruleset(name="kafka" queue.type="FixedArray" queue.size="200000" queue.dequeueBatchSize="4096" queue.workerThreads="1") {
  action(type="omkafka" broker=["${brokers.split(',').join('","')}"] topic="${topic}" template="line" partitions.auto="on"
         confParam=[${client.map((setting) => `"${setting}"`).join(',')}]
         errorFile="${join(state, 'errors')}" resubmitOnFailure="on" keepFailedMessages="on" failedMsgFile="${join(state, 'failed')}"
         action.resumeRetryCount="-1")
}
`;
}

/** It says nothing when it is ready. */
async function watchesFiles({ pid }: RunningProgram): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  const names = await readdir(folder).catch(() => []);
  const targets = await Promise.all(names.map((name) => readlink(join(folder, name)).catch(() => '')));
  return targets.includes('anon_inode:inotify');
}

function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return new Promise((resolve) => {
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}
