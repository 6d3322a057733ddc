import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startChildren, stopChild, type Launch } from './child.ts';
import type { KafkaAddress } from './kafka.ts';
import { base, oneCopy } from './kafka-settings.ts';
import { resolveClasspath, type Coordinates } from './maven.ts';
import { freePorts } from '../../src/testing/free-ports.ts';
import type { Service, Settings } from './service.ts';

const logSettings = `log4j.rootLogger=INFO, stdout
log4j.appender.stdout=org.apache.log4j.ConsoleAppender
log4j.appender.stdout.layout=org.apache.log4j.PatternLayout
log4j.appender.stdout.layout.ConversionPattern=[%d] %p %m (%c)%n
`;

/** Runs on Java 17, which the ZooKeeper clients of Kafka below 2.4 do not; below 2.1 Kafka also misses what Java no longer brings. */
const forOldest: readonly Coordinates[] = ['org.apache.zookeeper:zookeeper:3.5.9', 'javax.xml.bind:jaxb-api:2.3.1'];

export const kafka28 = withZooKeeper('2.8.2', ['org.apache.kafka:kafka_2.13:2.8.2', 'org.slf4j:slf4j-log4j12:1.7.30']);
export const kafka20 = withZooKeeper('2.0.1', [
  'org.apache.kafka:kafka_2.12:2.0.1',
  'org.slf4j:slf4j-log4j12:1.7.25',
  ...forOldest,
]);
export const kafka010 = withZooKeeper('0.10.2.2', ['org.apache.kafka:kafka_2.11:0.10.2.2', ...forOldest]);

/** Its processes are `zookeeper` and `broker-1`. */
function withZooKeeper(version: string, artifacts: readonly Coordinates[]): Service<KafkaAddress> {
  return {
    summary: `Kafka ${version} with its ZooKeeper`,
    async up(folder, settings) {
      const [port, keeperPort] = (await freePorts(2)) as [number, number];
      const classpath = await resolveClasspath(`kafka-${version}`, artifacts);
      const keeper = await launch(folder, 'zookeeper', classpath, {
        main: 'org.apache.zookeeper.server.quorum.QuorumPeerMain',
        heap: '-Xmx256m',
        probe: { zookeeper: keeperPort },
        settings: zooKeeperSettings(join(folder, 'zookeeper', 'data'), keeperPort),
      });
      const broker = await launch(folder, 'broker-1', classpath, {
        main: 'kafka.Kafka',
        heap: '-Xmx512m',
        probe: { kafka: port },
        settings: {
          ...base,
          ...oneCopy,
          'broker.id': 1,
          'zookeeper.connect': `127.0.0.1:${keeperPort}`,
          'zookeeper.connection.timeout.ms': 30_000,
          listeners: `PLAINTEXT://127.0.0.1:${port}`,
          'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
          'log.dirs': join(folder, 'broker-1', 'data'),
          'delete.topic.enable': true,
          ...settings,
        },
      });
      const keepers = await startChildren([keeper]);
      try {
        const brokers = await startChildren([broker]);
        // The broker first: it says good-bye to ZooKeeper when it stops.
        return { children: [...brokers, ...keepers], where: { brokers: `127.0.0.1:${port}` } };
      } catch (error) {
        await Promise.all(keepers.map((child) => stopChild(child, 'SIGKILL')));
        throw error;
      }
    },
  };
}

function zooKeeperSettings(dataDir: string, port: number): Settings {
  return {
    dataDir,
    clientPort: port,
    clientPortAddress: '127.0.0.1',
    maxClientCnxns: 0,
    'admin.enableServer': false,
    '4lw.commands.whitelist': 'ruok',
    tickTime: 500,
  };
}

async function launch(
  folder: string,
  name: string,
  classpath: string,
  { main, heap, probe, settings }: Pick<Launch, 'probe'> & { main: string; heap: string; settings: Settings },
): Promise<Launch> {
  const home = join(folder, name);
  await mkdir(home, { recursive: true });
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
  await writeFile(join(home, 'server.properties'), `${lines.join('\n')}\n`);
  await writeFile(join(home, 'log4j.properties'), logSettings);
  return {
    name,
    command: 'java',
    parameters: [
      heap,
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      `-Dlog4j.configuration=file:${join(home, 'log4j.properties')}`,
      '-cp',
      classpath,
      main,
      join(home, 'server.properties'),
    ],
    logFile: join(home, 'server.log'),
    cwd: home,
    probe,
  };
}
