import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeCertificates } from './certificates.ts';
import { startChildren, type Launch } from './child.ts';
import { exists } from './folders.ts';
import { combined, listeners, oneCopy, security, threeCopies } from './kafka-settings.ts';
import { kafkaClasspath, kafkaVersion } from './kafka-tools.ts';
import { freePorts } from '../../src/testing/free-ports.ts';
import type { Service, Settings } from './service.ts';

const run = promisify(execFile);

const logSettings = `Configuration:
  status: warn
  Appenders:
    Console:
      name: STDOUT
      PatternLayout: { pattern: "[%d{ISO8601}] %p %m (%c)%n" }
  Loggers:
    Root:
      level: \${sys:kafka.log.level:-INFO}
      AppenderRef: { ref: STDOUT }
`;

/** Comma-separated, as clients take it. */
export interface KafkaAddress {
  readonly brokers: string;
}

export const kafka: Service<KafkaAddress> = {
  summary: `Kafka ${kafkaVersion}, one broker`,
  async up(folder, settings) {
    const [port, controller] = (await freePorts(2)) as [number, number];
    const broker = await formatted(folder, 1, port, {
      ...combined,
      ...oneCopy,
      'controller.quorum.voters': `1@127.0.0.1:${controller}`,
      ...listeners({ PLAINTEXT: port }, controller),
      ...settings,
    });
    return { children: await startChildren([broker]), where: { brokers: `127.0.0.1:${port}` } };
  },
};

/** Its processes are `broker-1` to `broker-3`. */
export const kafkaCluster: Service<KafkaAddress> = {
  summary: `Kafka ${kafkaVersion}, three brokers, replication 3, min.insync.replicas 2`,
  async up(folder, settings) {
    const ports = await freePorts(6);
    const clients = ports.slice(0, 3);
    const controllers = ports.slice(3);
    const voters = controllers.map((port, index) => `${index + 1}@127.0.0.1:${port}`).join(',');
    const brokers = await Promise.all(
      clients.map((port, index) =>
        formatted(folder, index + 1, port, {
          ...combined,
          ...threeCopies,
          'controller.quorum.voters': voters,
          ...listeners({ PLAINTEXT: port }, controllers[index]!),
          ...settings,
        }),
      ),
    );
    return {
      children: await startChildren(brokers),
      where: { brokers: clients.map((port) => `127.0.0.1:${port}`).join(',') },
    };
  },
};

/** Each a bootstrap address, then paths of PEM files. */
export interface SecuredAddress extends KafkaAddress {
  readonly sasl_plaintext: string;
  /** Asks clients for a certificate. */
  readonly tls: string;
  readonly sasl_tls: string;
  readonly ca: string;
  readonly client_certificate: string;
  readonly client_key: string;
}

/** Users: alice and bob by PLAIN (bob may do nothing), carol by SCRAM, any name by an unsecured OAUTHBEARER token, `CN=client1` by certificate. */
export const kafkaSecured: Service<SecuredAddress> = {
  summary: `Kafka ${kafkaVersion}, one broker with SASL and TLS listeners and access control`,
  async up(folder, settings) {
    const [plain, sasl, tls, saslTls, controller] = (await freePorts(5)) as [number, number, number, number, number];
    const certificates = await makeCertificates(join(folder, 'certificates'));
    const properties = {
      ...combined,
      ...oneCopy,
      ...security(certificates.keyStore, certificates.trustStore),
      'controller.quorum.voters': `1@127.0.0.1:${controller}`,
      ...listeners({ PLAINTEXT: plain, SASL_PLAINTEXT: sasl, SSL: tls, SASL_SSL: saslTls }, controller),
      ...settings,
    };
    const carol = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
      '--add-scram',
      `${mechanism}=[name=carol,password=carol-secret]`,
    ]);
    return {
      children: await startChildren([await formatted(folder, 1, plain, properties, carol)]),
      where: {
        brokers: `127.0.0.1:${plain}`,
        sasl_plaintext: `127.0.0.1:${sasl}`,
        tls: `127.0.0.1:${tls}`,
        sasl_tls: `127.0.0.1:${saslTls}`,
        ca: certificates.ca,
        client_certificate: certificates.clientCertificate,
        client_key: certificates.clientKey,
      },
    };
  },
};

/** Writes a broker's settings and formats its storage, unless there is data from a run before. */
async function formatted(
  folder: string,
  id: number,
  port: number,
  properties: Settings,
  formatOptions: readonly string[] = [],
): Promise<Launch> {
  const name = `broker-${id}`;
  const home = join(folder, name);
  const data = join(home, 'data');
  await mkdir(home, { recursive: true });
  const lines = Object.entries({ ...properties, 'node.id': id, 'log.dirs': data }).map(
    ([key, value]) => `${key}=${value}`,
  );
  const settings = join(home, 'server.properties');
  await writeFile(settings, `${lines.join('\n')}\n`);
  await writeFile(join(home, 'log4j2.yaml'), logSettings);
  const java = [
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    `-Dlog4j2.configurationFile=${join(home, 'log4j2.yaml')}`,
    '-cp',
    await kafkaClasspath(),
  ];
  if (!(await exists(join(data, 'meta.properties')))) {
    const format = ['kafka.tools.StorageTool', 'format', '-t', clusterId(folder), '-c', settings];
    await run('java', ['-Xmx128m', ...java, ...format, ...formatOptions]);
  }
  return {
    name,
    command: 'java',
    parameters: ['-Xmx512m', ...java, 'kafka.Kafka', settings],
    logFile: join(home, 'server.log'),
    cwd: home,
    probe: { kafka: port },
  };
}

/** A UUID as Kafka writes it. Who reads from one cluster and writes to another tells them apart by it. */
function clusterId(folder: string): string {
  const bytes = createHash('sha256').update(folder).digest().subarray(0, 16);
  // The first character must not look like an option.
  bytes[0]! &= 0x7f;
  return bytes.toString('base64url');
}
