import { execFile } from 'node:child_process';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts, startChild, waitUntilReady, type Child } from './child.ts';
import { resolveClasspath } from './maven.ts';
import { makeCertificates } from './certificates.ts';
import type { Service } from './service.ts';

const run = promisify(execFile);
const version = '4.3.1';
const clusterId = 'MzuAs6aAS6yioFBszkLMog';

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

/** Kafka's broker and its own tools. */
export function kafkaClasspath(): Promise<string> {
  return resolveClasspath(`kafka-${version}`, [
    `org.apache.kafka:kafka_2.13:${version}`,
    `org.apache.kafka:kafka-tools:${version}`,
    // The binding for slf4j 1.7, which Kafka brings without one: no log line is written otherwise.
    'org.apache.logging.log4j:log4j-slf4j-impl:2.25.4',
  ]);
}

const single: Service = {
  name: 'kafka',
  summary: `Kafka ${version}, one broker`,
  async up(folder) {
    const [port, controller] = (await freePorts(2)) as [number, number];
    const broker = await startBroker(folder, 1, {
      ...common,
      ...oneCopy,
      'controller.quorum.voters': `1@127.0.0.1:${controller}`,
      ...listeners({ PLAINTEXT: port }, controller),
    });
    await broker.ready(port);
    return { children: [broker.child], where: { brokers: `127.0.0.1:${port}` } };
  },
};

const cluster: Service = {
  name: 'kafka-cluster',
  summary: `Kafka ${version}, three brokers, replication 3, min.insync.replicas 2`,
  async up(folder) {
    const ports = await freePorts(6);
    const clients = ports.slice(0, 3);
    const controllers = ports.slice(3);
    const voters = controllers.map((port, index) => `${index + 1}@127.0.0.1:${port}`).join(',');
    const brokers = await Promise.all(
      clients.map((port, index) =>
        startBroker(folder, index + 1, {
          ...common,
          ...threeCopies,
          'controller.quorum.voters': voters,
          ...listeners({ PLAINTEXT: port }, controllers[index]!),
        }),
      ),
    );
    await Promise.all(brokers.map((broker, index) => broker.ready(clients[index]!)));
    return {
      children: brokers.map(({ child }) => child),
      where: { brokers: clients.map((port) => `127.0.0.1:${port}`).join(',') },
    };
  },
};

/** Users: alice and bob by PLAIN (bob may do nothing), carol by SCRAM, any name by an unsecured OAUTHBEARER token, `CN=client1` by certificate. */
const secured: Service = {
  name: 'kafka-secured',
  summary: `Kafka ${version}, one broker with SASL and TLS listeners and access control`,
  async up(folder) {
    const [plain, sasl, tls, saslTls, controller] = (await freePorts(5)) as [number, number, number, number, number];
    const certificates = await makeCertificates(join(folder, 'certificates'));
    const broker = await startBroker(
      folder,
      1,
      {
        ...common,
        ...oneCopy,
        ...security(certificates.keyStore, certificates.trustStore),
        'controller.quorum.voters': `1@127.0.0.1:${controller}`,
        ...listeners({ PLAINTEXT: plain, SASL_PLAINTEXT: sasl, SSL: tls, SASL_SSL: saslTls }, controller),
      },
      ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
        '--add-scram',
        `${mechanism}=[name=carol,password=carol-secret]`,
      ]),
    );
    await broker.ready(plain);
    return {
      children: [broker.child],
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

export const kafkaServices: readonly Service[] = [single, cluster, secured];

type Properties = Readonly<Record<string, string | number>>;

const common: Properties = {
  'process.roles': 'broker,controller',
  'controller.listener.names': 'CONTROLLER',
  'inter.broker.listener.name': 'PLAINTEXT',
  'listener.security.protocol.map':
    'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL',
  'num.partitions': 4,
  'group.initial.rebalance.delay.ms': 0,
  'auto.create.topics.enable': 'false',
  'num.network.threads': 2,
  'num.io.threads': 2,
  'log.cleaner.dedupe.buffer.size': 16_777_216,
  // A broker that was killed may register again after this time; the default is 9 s.
  'broker.session.timeout.ms': 3000,
  'broker.heartbeat.interval.ms': 500,
};

const oneCopy = internalTopics(1, 1, 4);
const threeCopies: Properties = {
  ...internalTopics(3, 2, 6),
  'default.replication.factor': 3,
  'min.insync.replicas': 2,
  'controller.quorum.election.timeout.ms': 500,
  'controller.quorum.fetch.timeout.ms': 1000,
  'replica.lag.time.max.ms': 3000,
};

function internalTopics(replication: number, inSync: number, partitions: number): Properties {
  return {
    'offsets.topic.replication.factor': replication,
    'offsets.topic.num.partitions': partitions,
    'transaction.state.log.replication.factor': replication,
    'transaction.state.log.min.isr': inSync,
    'transaction.state.log.num.partitions': partitions,
    'share.coordinator.state.topic.replication.factor': replication,
    'share.coordinator.state.topic.min.isr': inSync,
    'share.coordinator.state.topic.num.partitions': partitions,
  };
}

function listeners(clients: Readonly<Record<string, number>>, controller: number): Properties {
  const addresses = Object.entries(clients).map(([protocol, port]) => `${protocol}://127.0.0.1:${port}`);
  return {
    listeners: [...addresses, `CONTROLLER://127.0.0.1:${controller}`].join(','),
    'advertised.listeners': addresses.join(','),
  };
}

function security(keyStore: string, trustStore: string): Properties {
  const modules = {
    plain: 'plain.PlainLoginModule required user_alice="alice-secret" user_bob="bob-secret";',
    'scram-sha-256': 'scram.ScramLoginModule required;',
    'scram-sha-512': 'scram.ScramLoginModule required;',
    oauthbearer: 'oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";',
  };
  const logins = ['sasl_plaintext', 'sasl_ssl'].flatMap((listener) =>
    Object.entries(modules).map(([mechanism, login]) => [
      `listener.name.${listener}.${mechanism}.sasl.jaas.config`,
      `org.apache.kafka.common.security.${login}`,
    ]),
  );
  return {
    ...(Object.fromEntries(logins) as Properties),
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
    'ssl.keystore.location': keyStore,
    'ssl.keystore.type': 'PKCS12',
    'ssl.keystore.password': 'changeit',
    'ssl.key.password': 'changeit',
    'ssl.truststore.location': trustStore,
    'ssl.truststore.type': 'PKCS12',
    'ssl.truststore.password': 'changeit',
    'listener.name.ssl.ssl.client.auth': 'required',
    'listener.name.sasl_ssl.ssl.client.auth': 'none',
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS;User:alice;User:carol;User:CN=client1',
    'allow.everyone.if.no.acl.found': 'false',
  };
}

/** Formats the storage of a new broker and starts it. */
async function startBroker(
  folder: string,
  id: number,
  properties: Properties,
  formatOptions: readonly string[] = [],
): Promise<{ child: Child; ready: (port: number) => Promise<void> }> {
  const home = join(folder, `broker-${id}`);
  const data = join(home, 'data');
  await mkdir(home, { recursive: true });
  const lines = Object.entries({ ...properties, 'node.id': id, 'log.dirs': data }).map(
    ([name, value]) => `${name}=${value}`,
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
    await run('java', [
      '-Xmx128m',
      ...java,
      'kafka.tools.StorageTool',
      'format',
      '-t',
      clusterId,
      '-c',
      settings,
      ...formatOptions,
    ]);
  }
  const logFile = join(home, 'server.log');
  const child = await startChild('java', ['-Xmx512m', ...java, 'kafka.Kafka', settings], logFile, home);
  return { child, ready: (port) => waitUntilReady(child, logFile, () => answersApiVersions(port)) };
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}

/** ApiVersions v0, which every broker answers, sent by hand: size, API 18, version 0, correlation id, null client id. */
function answersApiVersions(port: number): Promise<boolean> {
  const request = Buffer.from('0000000a0012000000000001ffff', 'hex');
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    const settle = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(2000, () => {
      settle(false);
    });
    socket.once('data', () => {
      settle(true);
    });
    socket.once('error', () => {
      settle(false);
    });
    socket.once('close', () => {
      settle(false);
    });
  });
}
