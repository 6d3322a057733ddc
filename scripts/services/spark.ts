import { execFile } from 'node:child_process';
import { mkdir, rename, rm } from 'node:fs/promises';
import { basename, delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePorts } from '../../src/testing/free-ports.ts';
import { startChildren, stopChild, type Launch } from './child.ts';
import { cacheFolder, exists } from './folders.ts';
import { resolveClasspath } from './maven.ts';
import type { Service, Settings } from './service.ts';

const run = promisify(execFile);

/** Of those for which everything can be had: later ones lack the connector for Kafka on Maven Central. */
export const sparkVersion = '4.1.1';
const scalaVersion = '2.13';
const registeredWithinMs = 60_000;

/** What Spark itself does not bring for reading Kafka. */
const connectorJars = ['spark-sql-kafka', 'spark-token-provider-kafka', 'kafka-clients', 'commons-pool2'];

/** As `spark-class` has it: Spark looks into the JDK. */
const opened = [
  '-XX:+IgnoreUnrecognizedVMOptions',
  '--add-modules=jdk.incubator.vector',
  ...[
    'lang',
    'lang.invoke',
    'lang.reflect',
    'io',
    'net',
    'nio',
    'util',
    'util.concurrent',
    'util.concurrent.atomic',
  ].map((name) => `--add-opens=java.base/java.${name}=ALL-UNNAMED`),
  ...['jdk.internal.ref', 'sun.nio.ch', 'sun.nio.cs', 'sun.security.action', 'sun.util.calendar'].map(
    (name) => `--add-opens=java.base/${name}=ALL-UNNAMED`,
  ),
  '-Djdk.reflect.useDirectMethodHandle=false',
  '-Dio.netty.tryReflectionSetAccessible=true',
];

export interface SparkAddress {
  /** The REST server of the master. */
  readonly rest: string;
  readonly ui: string;
  /** `spark://127.0.0.1:7077`. */
  readonly master: string;
  readonly home: string;
  readonly submit: string;
  /** For `PYTHONPATH`. */
  readonly python_path: string;
  /** The connector for Kafka, with commas. */
  readonly kafka_jars: string;
}

/** Its processes are `master` and `worker`. Settings are system properties of the master, such as `spark.deploy.recoveryMode`. Needs Python 3 with pip, too. */
export const spark: Service<SparkAddress> = {
  summary: `Spark ${sparkVersion}, a standalone master with its REST server, and a worker`,
  async up(folder, settings) {
    const pythonPath = await pythonPackages();
    const home = join(pythonPath, 'pyspark');
    const jars = await connector();
    const [rest, port, ui, workerPort, workerUi] = (await freePorts(5)) as [number, number, number, number, number];
    const masters = await startChildren([masterLaunch(folder, home, { rest, port, ui, settings })]);
    try {
      const workers = await startChildren([
        workerLaunch(folder, home, { port: workerPort, ui: workerUi, master: port }),
      ]);
      await registered(ui);
      const where = {
        rest: `http://127.0.0.1:${rest}`,
        ui: `http://127.0.0.1:${ui}`,
        master: `spark://127.0.0.1:${port}`,
        home,
        submit: join(home, 'bin', 'spark-submit'),
        python_path: pythonPath,
        kafka_jars: jars.join(','),
      };
      // The worker first: it takes its drivers and executors along.
      return { children: [...workers, ...masters], where };
    } catch (error) {
      await Promise.all(masters.map((child) => stopChild(child, 'SIGKILL')));
      throw error;
    }
  },
};

/** Where Spark is, for programs that need no cluster. */
export async function sparkHome(): Promise<string> {
  return join(await pythonPackages(), 'pyspark');
}

/** PyPI has all of Spark, with what Python applications need. */
async function pythonPackages(): Promise<string> {
  const folder = join(cacheFolder(), `pyspark-${sparkVersion}`);
  if (await exists(folder)) return folder;
  const temporary = `${folder}.${process.pid}`;
  await mkdir(cacheFolder(), { recursive: true });
  const parameters = ['-m', 'pip', 'install', '--quiet', '--target', temporary, `pyspark==${sparkVersion}`];
  await run('python3', parameters, { timeout: 600_000 });
  // Last: half of it is never used. Another process may have been faster.
  await rename(temporary, folder).catch(() => rm(temporary, { recursive: true }));
  return folder;
}

async function connector(): Promise<string[]> {
  const artifact = `org.apache.spark:spark-sql-kafka-0-10_${scalaVersion}:${sparkVersion}`;
  const jars = (await resolveClasspath(`spark-kafka-${sparkVersion}`, [artifact])).split(delimiter);
  return jars.filter((jar) => connectorJars.some((name) => basename(jar).startsWith(`${name}-`)));
}

function masterLaunch(
  folder: string,
  home: string,
  { rest, port, ui, settings }: { rest: number; port: number; ui: number; settings: Settings },
): Launch {
  const properties = {
    'spark.master.rest.enabled': true,
    'spark.master.rest.host': '127.0.0.1',
    'spark.master.rest.port': rest,
    ...settings,
  };
  const own = ['--host', '127.0.0.1', '--port', String(port), '--webui-port', String(ui)];
  const probe = `http://127.0.0.1:${ui}/json/`;
  return launch('master', folder, home, { main: 'master.Master', properties, own, probe });
}

function workerLaunch(
  folder: string,
  home: string,
  { port, ui, master }: { port: number; ui: number; master: number },
): Launch {
  const own = ['--host', '127.0.0.1', '--port', String(port), '--webui-port', String(ui)];
  const room = ['-c', '4', '-m', '4g', '-d', join(folder, 'work'), `spark://127.0.0.1:${master}`];
  const probe = `http://127.0.0.1:${ui}/json/`;
  return launch('worker', folder, home, { main: 'worker.Worker', properties: {}, own: [...own, ...room], probe });
}

function launch(
  name: string,
  folder: string,
  home: string,
  what: { main: string; properties: Settings; own: readonly string[]; probe: string },
): Launch {
  return {
    name,
    // Without the version of Scala a worker looks for a build of Spark instead of its jars.
    command: 'env',
    parameters: [
      `SPARK_HOME=${home}`,
      `SPARK_SCALA_VERSION=${scalaVersion}`,
      'SPARK_LOCAL_IP=127.0.0.1',
      // Drivers and executors inherit it, and live for seconds: no time for the second compiler.
      'JAVA_TOOL_OPTIONS=-XX:TieredStopAtLevel=1 -XX:+UseSerialGC',
      'java',
      '-Xmx384m',
      ...opened,
      ...Object.entries(what.properties).map(([property, value]) => `-D${property}=${value}`),
      '-cp',
      `${home}/jars/*`,
      `org.apache.spark.deploy.${what.main}`,
      ...what.own,
    ],
    logFile: join(folder, `${name}.log`),
    cwd: folder,
    probe: { http: what.probe, authorization: '' },
  };
}

async function registered(ui: number): Promise<void> {
  for (const until = Date.now() + registeredWithinMs; Date.now() < until;) {
    await sleep(100);
    const state = (await (await fetch(`http://127.0.0.1:${ui}/json/`)).json()) as { readonly aliveworkers?: number };
    if (state.aliveworkers === 1) return;
  }
  throw new Error('the worker did not register within a minute');
}
