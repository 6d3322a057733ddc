import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts } from '../../src/testing/free-ports.ts';
import { startChildren } from './child.ts';
import { resolveClasspath } from './maven.ts';
import type { Service } from './service.ts';
import { sparkHome } from './spark.ts';

/** The last one of which Maven Central has the server. It lacks what interactive sessions need. */
const livyVersion = '0.7.1-incubating';

export interface LivyAddress {
  readonly url: string;
}

/** Settings are those of `livy.conf`. Needs what Spark needs. */
export const livy: Service<LivyAddress> = {
  summary: `Livy ${livyVersion}: batches, by spark-submit on this machine`,
  async up(folder, settings) {
    const home = await sparkHome();
    const classpath = await resolveClasspath(`livy-${livyVersion}`, [`org.apache.livy:livy-server:${livyVersion}`]);
    const [port] = (await freePorts(1)) as [number];
    const url = `http://127.0.0.1:${port}`;
    const configuration = join(folder, 'conf');
    const logs = join(folder, 'logs');
    for (const each of [configuration, logs]) await mkdir(each, { recursive: true });
    const lines = {
      'livy.server.host': '127.0.0.1',
      'livy.server.port': port,
      'livy.spark.master': 'local[2]',
      'livy.spark.deploy-mode': 'client',
      'livy.file.local-dir-whitelist': '/',
      'livy.server.session.timeout-check': false,
      ...settings,
    };
    await writeFile(
      join(configuration, 'livy.conf'),
      Object.entries(lines)
        .map(([name, value]) => `${name} = ${value}\n`)
        .join(''),
    );
    await writeFile(join(configuration, 'log4j.properties'), log4j);
    const environment = {
      SPARK_HOME: home,
      SPARK_LOCAL_IP: '127.0.0.1',
      LIVY_HOME: folder,
      LIVY_CONF_DIR: configuration,
      LIVY_LOG_DIR: logs,
      // What it starts inherits it, and lives for seconds: no time for the second compiler.
      JAVA_TOOL_OPTIONS: '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC',
    };
    const children = await startChildren([
      {
        name: 'livy',
        command: 'env',
        parameters: [
          ...Object.entries(environment).map(([name, value]) => `${name}=${value}`),
          'java',
          '-Xmx384m',
          ...['lang', 'util'].map((name) => `--add-opens=java.base/java.${name}=ALL-UNNAMED`),
          '-cp',
          `${configuration}:${classpath}`,
          'org.apache.livy.server.LivyServer',
        ],
        logFile: join(folder, 'livy.log'),
        cwd: folder,
        probe: { http: `${url}/version`, authorization: '' },
      },
    ]);
    return { children, where: { url } };
  },
};

const log4j = `log4j.rootCategory=INFO, console
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.target=System.err
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=%d %p %c{1}: %m%n
`;
