import type { Settings } from './service.ts';

/** What brokers of every version take. */
export const base: Settings = {
  'num.partitions': 4,
  'group.initial.rebalance.delay.ms': 0,
  'auto.create.topics.enable': false,
  'num.network.threads': 2,
  'num.io.threads': 2,
  'log.cleaner.dedupe.buffer.size': 16_777_216,
  // Records of tests have times of their own choice, often years back: retention would take them away at its next look, five minutes apart by default.
  'log.retention.check.interval.ms': 7 * 24 * 3600 * 1000,
};

/** Broker and controller in one process. */
export const combined: Settings = {
  ...base,
  'process.roles': 'broker,controller',
  'controller.listener.names': 'CONTROLLER',
  'inter.broker.listener.name': 'PLAINTEXT',
  'listener.security.protocol.map':
    'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL',
  // A broker that was killed may register again after this time; the default is 9 s.
  'broker.session.timeout.ms': 3000,
  'broker.heartbeat.interval.ms': 500,
};

export const oneCopy = internalTopics(1, 1, 4);
export const threeCopies: Settings = {
  ...internalTopics(3, 2, 6),
  'default.replication.factor': 3,
  'min.insync.replicas': 2,
  'controller.quorum.election.timeout.ms': 500,
  'controller.quorum.fetch.timeout.ms': 1000,
  'replica.lag.time.max.ms': 3000,
};

function internalTopics(replication: number, inSync: number, partitions: number): Settings {
  return {
    'offsets.topic.replication.factor': replication,
    'offsets.topic.num.partitions': partitions,
    'transaction.state.log.replication.factor': replication,
    'transaction.state.log.min.isr': inSync,
    'transaction.state.log.num.partitions': partitions,
    // Those whose time is over are aborted within a second, not ten.
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': 1000,
    'share.coordinator.state.topic.replication.factor': replication,
    'share.coordinator.state.topic.min.isr': inSync,
    'share.coordinator.state.topic.num.partitions': partitions,
  };
}

export function listeners(clients: Readonly<Record<string, number>>, controller: number): Settings {
  const addresses = Object.entries(clients).map(([protocol, port]) => `${protocol}://127.0.0.1:${port}`);
  return {
    listeners: [...addresses, `CONTROLLER://127.0.0.1:${controller}`].join(','),
    'advertised.listeners': addresses.join(','),
  };
}

export function security(keyStore: string, trustStore: string): Settings {
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
    ...(Object.fromEntries(logins) as Settings),
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
