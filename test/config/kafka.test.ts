import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import type { Json } from '../../src/api/index.ts';
import { kafkaPreview, kafkaSettings, maskKafka } from '../../src/config/index.ts';
import { folderOf, removeFolders, type TestFolder } from './support/hub.ts';

afterEach(removeFolders);

const pipeline = 'name: a\ntopic: t\nsources: [{ generate: {} }]\nsinks: [{ console: {} }]\n';

/** A hub whose `kafka:` is this flow mapping, in the first line of its file. */
function hubOf(kafka: string, text = pipeline): Promise<TestFolder> {
  return folderOf({ 'sluice.yaml': `kafka: ${kafka}\n`, 'pipelines/a.yaml': text });
}

const whole = `
kafka:
  brokers: ['kafka-1:9092', '[::1]:9093', '\${env:BROKER}:9094']
  tls: { ca: certificates/ca.pem, server_name: kafka }
  sasl: { mechanism: scram-sha-512, username: hub, password: '\${file:secrets/password}' }
  client: { id: hub-1, connect_timeout: 2s, session_timeout: 1m }
`;

test('the options stay as written in the plan, and are converted where a client is opened', async () => {
  const folder = await folderOf({
    'sluice.yaml': whole,
    'secrets/password': 'hunter2\n',
    'pipelines/a.yaml': pipeline,
  });
  const { plan, problems } = await folder.load({ env: { BROKER: 'kafka-3' }, resolve: true });
  expect(problems).toEqual([]);
  expect(plan!.kafka).toMatchObject({
    brokers: ['kafka-1:9092', '[::1]:9093', '${env:BROKER}:9094'],
    sasl: { password: '${file:secrets/password}' },
    client: { session_timeout: '1m' },
  });
  const { file, kafka } = plan!;
  expect(kafkaSettings({ file, kafka: kafka! }, { BROKER: 'kafka-3' })).toEqual({
    brokers: ['kafka-1:9092', '[::1]:9093', 'kafka-3:9094'],
    tls: { ca: join(folder.path, 'certificates/ca.pem'), server_name: 'kafka', insecure_skip_verify: false },
    sasl: { mechanism: 'scram-sha-512', username: 'hub', password: 'hunter2', insecure_without_tls: false },
    client: {
      id: 'hub-1',
      connect_timeout: 2000,
      request_timeout: 30_000,
      session_timeout: 60_000,
      heartbeat_interval: 2000,
      transaction_timeout: 60_000,
      group_protocol: 'classic',
    },
    driver: 'native',
  });
});

test('least of all: brokers', async () => {
  const { plan } = await (await hubOf("{ brokers: ['localhost:9092'] }")).load();
  const { file, kafka } = plan!;
  expect(kafkaPreview({ file, kafka: kafka! })).toMatchObject({
    brokers: ['localhost:9092'],
    tls: false,
    driver: 'native',
    client: { session_timeout: 8000, heartbeat_interval: 2000 },
  });
});

test('no secret leaves by the plan, by problems or by the mask', async () => {
  const canary = 'canary-7f3a';
  const folder = await hubOf(
    "{ brokers: ['b:9092'], tls: { cert: c.pem, key: k.pem, passphrase: '${env:CANARY}' }, sasl: { mechanism: plain, username: hub, password: '${file:canary}' }, client: { request_timeout: '${env:CANARY}' } }",
  );
  await writeFile(join(folder.path, 'canary'), canary);
  const loaded = await folder.load({ env: { CANARY: canary }, resolve: true });
  expect(loaded.problems).toMatchObject([{ code: 'CONFIG_BAD_VALUE', line: 1 }]);
  expect(loaded.problems[0]!.message).toContain('the value of ${env:CANARY} is not a duration');
  expect(inspect(loaded, { depth: 20 })).not.toContain(canary);
  const { plan } = await folder.load({ env: { CANARY: canary } });
  const { file } = plan!;
  const kafka = plan!.kafka!;
  let thrown: unknown;
  try {
    kafkaSettings({ file, kafka }, { CANARY: canary });
  } catch (error) {
    thrown = error;
  }
  expect(inspect(thrown)).toMatch(/OPTION_INVALID|client\.request_timeout/);
  expect(inspect([thrown, plan, kafkaPreview({ file, kafka }), maskKafka(kafka)], { depth: 20 })).not.toContain(canary);
  const literal: Json = { brokers: ['b:9092'], sasl: { mechanism: 'plain', username: 'hub', password: canary } };
  expect(maskKafka(literal)).toEqual({
    brokers: ['b:9092'],
    sasl: { mechanism: 'plain', username: 'hub', password: '***' },
  });
});

const scram = (more: string): string => `{ brokers: ['b:9092'], sasl: { mechanism: scram-sha-256${more} } }`;

/** The value of `kafka:` in the hub file, and the start of each of its problems, from column 8 on. */
const table: readonly (readonly [what: string, kafka: string, ...problems: string[]])[] = [
  ['another word', 'embeded', '1:8 CONFIG_WRONG_TYPE `kafka` must be `embedded` or a mapping, got "embeded"; did you'],
  ['no brokers', '{ tls: true }', '1:1 CONFIG_MISSING_OPTION the hub file `kafka` needs `brokers`'],
  ['an empty list', '{ brokers: [] }', '1:19 CONFIG_BAD_VALUE `kafka.brokers` must be a list with at least one entry'],
  [
    'a broker without a port',
    '{ brokers: [b] }',
    '1:20 CONFIG_BAD_VALUE `kafka.brokers[0]` must be text such as kafka-1',
  ],
  ['a broker with a scheme', "{ brokers: ['http://b:9092'] }", '1:20 CONFIG_BAD_VALUE `kafka.brokers[0]`'],
  ['a port that is none', "{ brokers: ['b:70000'] }", '1:20 CONFIG_OPTION_CONFLICT `b:70000` has no port from 1 to'],
  [
    'options of other clients',
    "{ brokers: ['b:9092'], client: { 'sasl.jaas.config': x }, 'bootstrap.servers': evil }",
    '1:41 CONFIG_UNKNOWN_OPTION the hub file `kafka.client` has no option `sasl.jaas.config`',
    '1:66 CONFIG_UNKNOWN_OPTION the hub file `kafka` has no option `bootstrap.servers`',
  ],
  [
    'a transactional id',
    "{ brokers: ['b:9092'], client: { transactional_id: mine } }",
    '1:41 CONFIG_UNKNOWN_OPTION the hub file `kafka.client` has no option `transactional_id`',
  ],
  [
    'a certificate without its key',
    "{ brokers: ['b:9092'], tls: { cert: c.pem } }",
    '1:44 CONFIG_OPTION_CONFLICT `cert` needs `key` beside it',
  ],
  [
    'a key without its certificate',
    "{ brokers: ['b:9092'], tls: { key: k.pem } }",
    '1:43 CONFIG_OPTION_CONFLICT `key` needs `cert` beside it',
  ],
  [
    'a passphrase of nothing',
    "{ brokers: ['b:9092'], tls: { passphrase: '${env:X}' } }",
    '1:50 CONFIG_OPTION_CONFLICT `passphrase` decrypts a private key',
    '1:51 CONFIG_REFERENCE_UNSET ${env:X} is not set here',
  ],
  [
    'authorities that nobody asks',
    "{ brokers: ['b:9092'], tls: { ca: c.pem, insecure_skip_verify: true } }",
    '1:71 CONFIG_OPTION_CONFLICT `insecure_skip_verify` makes `ca` useless',
  ],
  [
    'a password in plain text',
    "{ brokers: ['b:9092'], sasl: { mechanism: plain, username: a, password: b } }",
    '1:50 CONFIG_OPTION_CONFLICT without `tls` others can read the password on its way; set `tls: true`, or `insecure_',
  ],
  [
    'scram in plain text',
    scram(', username: a, password: b'),
    '1:50 CONFIG_OPTION_CONFLICT without `tls` others can guess the password by what is sent',
  ],
  ['the same where nobody listens', scram(', username: a, password: b, insecure_without_tls: true')],
  [
    'no username',
    scram(', password: b, insecure_without_tls: true'),
    '1:50 CONFIG_OPTION_CONFLICT `scram-sha-256` needs `username` beside it',
  ],
  [
    'no password',
    scram(', username: b, insecure_without_tls: true'),
    '1:50 CONFIG_OPTION_CONFLICT `scram-sha-256` needs `password` beside it',
  ],
  [
    'a token for a password',
    scram(', username: a, password: b, token: c, insecure_without_tls: true'),
    '1:98 CONFIG_OPTION_CONFLICT `token` is for `oauthbearer`; the mechanism is `scram-sha-256`',
  ],
  [
    'oauthbearer without anything',
    "{ brokers: ['b:9092'], tls: true, sasl: { mechanism: oauthbearer } }",
    '1:61 CONFIG_OPTION_CONFLICT `oauthbearer` needs `oauth` beside it',
  ],
  [
    'oauthbearer with everything, and a secret in plain text',
    "{ brokers: ['b:9092'], tls: true, sasl: { mechanism: oauthbearer, token: x, oauth: { token_endpoint: 'http://x/', client_id: a, client_secret: b } } }",
    '1:81 CONFIG_OPTION_CONFLICT `token` and `oauth` are two ways to one thing',
    '1:109 CONFIG_OPTION_CONFLICT the secret would be sent so that others can read it; use https',
  ],
  [
    'a password for oauthbearer',
    "{ brokers: ['b:9092'], tls: true, sasl: { mechanism: oauthbearer, token: x, password: b } }",
    '1:94 CONFIG_OPTION_CONFLICT `password` is for `plain` and `scram-…`; the mechanism is `oauthbearer`',
  ],
  [
    'an unknown mechanism',
    "{ brokers: ['b:9092'], tls: true, sasl: { mechanism: gssapi } }",
    '1:61 CONFIG_BAD_VALUE `kafka.sasl.mechanism` must be one of `plain`, `scram-sha-256`',
  ],
  [
    'a heartbeat that comes too late',
    "{ brokers: ['b:9092'], client: { session_timeout: 2s } }",
    '1:31 CONFIG_OPTION_CONFLICT `heartbeat_interval` must be shorter than `session_timeout`',
  ],
  [
    'a protocol that the driver does not know',
    "{ brokers: ['b:9092'], driver: kafkajs, client: { group_protocol: consumer } }",
    '1:74 CONFIG_OPTION_CONFLICT the driver `kafkajs` knows the protocol `classic` only',
  ],
  [
    'a duration without a unit',
    "{ brokers: ['b:9092'], client: { request_timeout: 30 } }",
    '1:58 CONFIG_BAD_DURATION `kafka.client.request_timeout` must be a duration',
  ],
  [
    'any variable and any file',
    "{ brokers: ['${env:HOME_OF_KAFKA}:9092'], tls: { ca: '${file:/etc/hostname}' } }",
    '1:21 CONFIG_REFERENCE_UNSET ${env:HOME_OF_KAFKA} is not set here',
  ],
  [
    'a reference that is none',
    "{ brokers: ['${vault:x}:9092'] }",
    '1:21 CONFIG_BAD_REFERENCE ${vault:x} is no reference',
  ],
];

test.each(table)('kafka in the hub file: %s', async (_what, kafka, ...problems) => {
  const folder = await hubOf(kafka);
  const found = await folder.problems();
  expect(found).toEqual(problems.map((problem) => expect.stringContaining(`sluice.yaml:${problem}`) as string));
});

const brokers = "{ brokers: ['b:9092'] }";
const withTopic = (topic: string, more = ''): string =>
  `name: a\ntopic: ${topic}\nsources: [{ generate: {} }]\n${more}`;

/** The hub's `kafka:`, a pipeline, and the start of each of its problems. */
const pipelines: readonly (readonly [what: string, kafka: string, text: string, ...problems: string[]])[] = [
  [
    'settings of Kafka topics on the embedded log',
    'embedded',
    withTopic('{ name: t, replication_factor: 3, config: { cleanup.policy: compact } }'),
    '2:19 CONFIG_NO_EFFECT `replication_factor` has no effect on the embedded log',
    '2:42 CONFIG_NO_EFFECT `config` has no effect on the embedded log',
  ],
  [
    'settings of the embedded log on Kafka',
    brokers,
    withTopic('{ name: t, retention: { size: 1GiB, age: 1d } }', 'dead_letter: { max_size: 1GiB }\n'),
    '2:32 CONFIG_NO_EFFECT `retention.size` has no effect on Kafka: there `config: { retention.bytes: … }`',
    '4:16 CONFIG_NO_EFFECT `max_size` has no effect on Kafka',
  ],
  [
    'exactly once into Kafka by a driver without transactions',
    "{ brokers: ['b:9092'], driver: kafkajs }",
    'name: a\ntopic: t\nsources:\n  - file: { include: [x] }\n    delivery: exactly_once\n  - generate: {}\n',
    '5:15 CONFIG_DELIVERY_UNSUPPORTED the source file is at-least-once by the driver `kafkajs`, which has no transactions',
  ],
  [
    'exactly once for the whole pipeline by a driver without transactions',
    "{ brokers: ['b:9092'], driver: kafkajs }",
    'name: a\ntopic: t\ndelivery: exactly_once\nsources: [{ file: { include: [x] } }]\n',
    '3:11 CONFIG_DELIVERY_UNSUPPORTED the source file is at-least-once by the driver `kafkajs`',
  ],
  [
    'exactly once into Kafka',
    brokers,
    'name: a\ntopic: t\ndelivery: exactly_once\nsources: [{ file: { include: [x] } }]\n',
  ],
  ['a topic that somebody else writes', brokers, 'name: a\ntopic: t\nsinks: [{ console: {} }]\n'],
  [
    'more replicas in sync than there are',
    brokers,
    withTopic('{ name: t, replication_factor: 2, config: { min.insync.replicas: 3 } }'),
    '2:73 CONFIG_OPTION_CONFLICT `min.insync.replicas` is 3 and `replication_factor` 2: nothing could be written',
  ],
  [
    'one replica in sync of three',
    brokers,
    withTopic("{ name: t, replication_factor: 3, config: { min.insync.replicas: '1' } }"),
    '2:73 CONFIG_BAD_VALUE with `min.insync.replicas` 1 an acknowledged record may be on one broker only',
  ],
  [
    'a setting that is a mapping, and a key that is none',
    brokers,
    withTopic('{ name: t, config: { a: { b: c }, Retention: 1 } }'),
    '2:32 CONFIG_WRONG_TYPE `topic.config.a` must be',
    '2:42 CONFIG_UNKNOWN_OPTION the pipeline `topic.config` has no option `Retention`',
  ],
];

test.each(pipelines)('%s', async (_what, kafka, text, ...problems) => {
  const folder = await hubOf(kafka, text);
  const found = await folder.problems();
  expect(found).toEqual(problems.map((problem) => expect.stringContaining(`pipelines/a.yaml:${problem}`) as string));
});

test('what a topic is created with, and where its sources run', async () => {
  const text = `
name: a
topic: { name: t, partitions: 12, replication_factor: 3, config: { min.insync.replicas: 2, retention.ms: 604800000, preallocate: true } }
sources:
  - file: { include: [x] }
  - http: {}
`;
  const { plan } = await (await hubOf(brokers, text)).load();
  expect(plan!.pipelines[0]).toMatchObject({
    topic: {
      partitions: 12,
      replicationFactor: 3,
      config: { 'min.insync.replicas': '2', 'retention.ms': '604800000', preallocate: 'true' },
    },
    sources: [
      { name: 'file', placement: 'host', rewinds: true },
      { name: 'http', placement: 'every', rewinds: false },
    ],
  });
});
