import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Launch } from './child.ts';
import { resolveClasspath } from './maven.ts';

const zooKeeperVersion = '3.9.5';

/** Sessions can be as short as a second: whoever waits for the death of a node waits for the end of its session. */
const TICK_MS = 500;

/** A ZooKeeper of its own process, for services that need one. Its name is `zookeeper`. */
export async function launchZooKeeper(folder: string, port: number): Promise<Launch> {
  const home = join(folder, 'zookeeper');
  await mkdir(home, { recursive: true });
  const settings = {
    dataDir: join(home, 'data'),
    clientPort: port,
    clientPortAddress: '127.0.0.1',
    tickTime: TICK_MS,
    maxClientCnxns: 0,
    'admin.enableServer': false,
    '4lw.commands.whitelist': 'ruok',
  };
  const file = join(home, 'zoo.cfg');
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
  await writeFile(file, `${lines.join('\n')}\n`);
  return {
    name: 'zookeeper',
    command: 'java',
    parameters: [
      '-Xmx256m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
      '-cp',
      await zooKeeperClasspath(),
      'org.apache.zookeeper.server.ZooKeeperServerMain',
      file,
    ],
    logFile: join(home, 'server.log'),
    cwd: home,
    probe: { zookeeper: port },
  };
}

/** With what its server needs and its own description leaves to others; without Netty, which it can do without. */
function zooKeeperClasspath(): Promise<string> {
  return resolveClasspath(
    `zookeeper-${zooKeeperVersion}`,
    [
      `org.apache.zookeeper:zookeeper:${zooKeeperVersion}`,
      'io.dropwizard.metrics:metrics-core:4.1.12.1',
      'org.xerial.snappy:snappy-java:1.1.10.5',
      'org.slf4j:slf4j-simple:2.0.13',
    ],
    ['io.netty:*', 'ch.qos.logback:*'],
  );
}
