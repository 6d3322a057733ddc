import { SluiceError } from '../../src/api/index.ts';
import { openKafka, type KafkaClient, type KafkaSettings } from '../../src/kafka/index.ts';
import { Cluster } from '../../src/kafka/native/cluster.ts';
import { realClock } from '../../src/telemetry/index.ts';
import { serverSuite, uniqueName } from '../support/servers.ts';
import { collectedLog } from './support/collected-log.ts';
import { kafkaSettings } from './support/clients.ts';
import { TokenEndpoint, unsecuredToken } from './support/token-endpoint.ts';

type Driver = KafkaSettings['driver'];
type Listener = 'brokers' | 'sasl_plaintext' | 'tls' | 'sasl_tls';
type Sasl = NonNullable<KafkaSettings['sasl']>;

function byPassword(mechanism: Sasl['mechanism'], username: string, password = `${username}-secret`): Sasl {
  return { mechanism, username, password, insecure_without_tls: true };
}

function byToken(token: string): Sasl {
  return { mechanism: 'oauthbearer', token, insecure_without_tls: false };
}

serverSuite('a secured Kafka', ['kafka-secured'], (where) => {
  const collected = collectedLog();
  const opened: Pick<KafkaClient, 'close'>[] = [];
  let endpoint: TokenEndpoint;

  beforeAll(async () => {
    endpoint = await TokenEndpoint.start();
  });

  function settingsOf(driver: Driver, listener: Listener): KafkaSettings {
    return kafkaSettings({ driver, brokers: [where['kafka-secured'][listener]] });
  }

  function openBy(driver: Driver, listener: Listener, more: Partial<KafkaSettings>): KafkaClient {
    const client = openKafka({ ...settingsOf(driver, listener), ...more }, { clock: realClock, log: collected.log });
    opened.push(client);
    return client;
  }

  function trust(more: object = {}): Exclude<KafkaSettings['tls'], boolean> {
    return { ca: where['kafka-secured'].ca, insecure_skip_verify: false, ...more };
  }

  function certificate(): Exclude<KafkaSettings['tls'], boolean> {
    const { client_certificate: cert, client_key: key } = where['kafka-secured'];
    return trust({ cert, key });
  }

  /** Opening must fail at once, not be tried again until the signal aborts. */
  async function mistake(client: KafkaClient): Promise<SluiceError> {
    const error: unknown = await client.cluster(AbortSignal.timeout(20_000)).catch((reason: unknown) => reason);
    if (!(error instanceof SluiceError)) throw new Error('no error of ours', { cause: error });
    expect(error.retryable).toBe(false);
    return error;
  }

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((client) => client.close()));
  });

  afterAll(() => {
    endpoint.close();
    const written = JSON.stringify(collected.entries);
    expect(written).not.toContain('secret');
  });

  describe.each(['native', 'kafkajs'] as const)('by the driver %s', (driver) => {
    const open = (listener: Listener, more: Partial<KafkaSettings>): KafkaClient => openBy(driver, listener, more);

    test.each([
      ['PLAIN', byPassword('plain', 'alice')],
      ['SCRAM-SHA-256', byPassword('scram-sha-256', 'carol')],
      ['SCRAM-SHA-512', byPassword('scram-sha-512', 'carol')],
      ['OAUTHBEARER', byToken(unsecuredToken('alice', 600))],
    ])('takes credentials by %s over TLS', async (_name, sasl) => {
      const { brokers } = await open('sasl_tls', { tls: trust(), sasl }).cluster();
      expect(brokers).toHaveLength(1);
    });

    test('takes a client by its certificate', async () => {
      expect((await open('tls', { tls: certificate() }).cluster()).brokers).toHaveLength(1);
    });

    test('takes a password in plain text where the settings allow it, and says so', async () => {
      await open('sasl_plaintext', { sasl: byPassword('plain', 'alice') }).cluster();
      expect(collected.entries).toContainEqual(
        expect.objectContaining({ level: 'warn', message: 'credentials go to the Kafka brokers in plain text' }),
      );
    });

    test('talks to a broker that it cannot verify only when told, and says so', async () => {
      const tls = { insecure_skip_verify: true };
      await open('sasl_tls', { tls, sasl: byPassword('scram-sha-512', 'carol') }).cluster();
      expect(collected.entries).toContainEqual(
        expect.objectContaining({ level: 'warn', message: 'the certificates of Kafka brokers are not verified' }),
      );
    });

    test('asks a token endpoint once for all connections', async () => {
      const client = open('sasl_tls', { tls: trust(), sasl: endpoint.sasl });
      const topic = uniqueName('oauth');
      const before = endpoint.asked;
      await client.createTopic({ name: topic, partitions: 1, replicationFactor: 1 });
      expect(await client.offsets(topic, 'latest')).toEqual(new Map([[0, 0]]));
      await client.deleteTopic(topic);
      expect(endpoint.asked).toBe(before + 1);
    });

    describe('says which mistake was made:', () => {
      test.each([
        ['a wrong password', byPassword('plain', 'alice', 'wrong'), /user "alice" or its password \(PLAIN\)/],
        ['a wrong password for SCRAM', byPassword('scram-sha-512', 'carol', 'wrong'), /"carol".*\(SCRAM-SHA-512\)/],
        ['an unknown user', byPassword('scram-sha-256', 'nobody'), /"nobody".*that the user exists/],
        ['a token that is none', byToken('abc.def.'), /refuses the token; check its issuer/],
        ['an expired token', byToken(unsecuredToken('alice', -5)), /refuses the token.*expiry/],
      ])('%s', async (_name, sasl, words) => {
        const error = await mistake(open('sasl_tls', { tls: trust(), sasl }));
        expect(error.code).toBe('KAFKA_CREDENTIALS');
        expect(error.message).toMatch(words);
        expect(error.message).toContain(where['kafka-secured'].sasl_tls);
        expect(error.message).not.toContain('wrong');
      });

      test('credentials for a listener that asks for none', async () => {
        const error = await mistake(open('brokers', { sasl: byPassword('plain', 'alice') }));
        expect(error.code).toBe('KAFKA_CREDENTIALS');
        expect(error.message).toMatch(/does not offer PLAIN: it asks for no credentials; leave `sasl` out/);
      });

      test('no credentials for a listener that asks for them, as what is waited for', async () => {
        const reasons: (string | null)[] = [];
        const client = openKafka(settingsOf(driver, 'sasl_plaintext'), {
          clock: realClock,
          log: collected.log,
          onWait: (why) => reasons.push(why),
        });
        opened.push(client);
        await expect(client.cluster(AbortSignal.timeout(2500))).rejects.toThrow(/abort/);
        expect(reasons[0]).toMatch(/closed the connection, as brokers do that ask for credentials: `sasl` is not set/);
      });

      test('plaintext to a TLS port', async () => {
        const error = await mistake(open('tls', {}));
        expect(error.code).toBe('KAFKA_TLS');
        expect(error.message).toMatch(/speaks TLS; set `tls: true`/);
      });

      test('credentials in plaintext to a TLS port', async () => {
        const error = await mistake(open('sasl_tls', { sasl: byPassword('plain', 'alice') }));
        expect(error.code).toBe('KAFKA_TLS');
      });

      test.each(['brokers', 'sasl_plaintext'] as const)('TLS to a plaintext port (%s)', async (broker) => {
        const error = await mistake(open(broker, { tls: true }));
        expect(error.code).toBe('KAFKA_TLS');
        expect(error.message).toMatch(/speaks plaintext on this port; leave `tls` out, or use its TLS port/);
      });

      test('no client certificate', async () => {
        const error = await mistake(open('tls', { tls: trust() }));
        expect(error.code).toBe('KAFKA_TLS');
        expect(error.message).toMatch(/asks for a client certificate; set `tls.cert` and `tls.key`/);
      });

      test('an authority that is not trusted', async () => {
        const error = await mistake(open('sasl_tls', { tls: true, sasl: byPassword('plain', 'alice') }));
        expect(error.code).toBe('KAFKA_TLS');
        expect(error.message).toMatch(/not trusted \(SELF_SIGNED_CERT_IN_CHAIN\); set `tls.ca`/);
      });

      test('a certificate for other names', async () => {
        const tls = trust({ server_name: 'kafka.example' });
        const error = await mistake(open('sasl_tls', { tls, sasl: byPassword('plain', 'alice') }));
        expect(error.code).toBe('KAFKA_TLS');
        expect(error.message).toMatch(/for other names \(DNS:localhost, IP Address:127.0.0.1\).*`tls.server_name`/);
      });

      test('what the access control does not allow, with operation and topic', async () => {
        const topic = uniqueName('denied');
        const alice = open('sasl_plaintext', { sasl: byPassword('plain', 'alice') });
        await alice.createTopic({ name: topic, partitions: 1, replicationFactor: 1 });
        const bob = open('sasl_plaintext', { sasl: byPassword('plain', 'bob') });
        const denied = { code: 'KAFKA_DENIED', retryable: false };
        const creating = bob.createTopic({ name: `${topic}-2`, partitions: 1, replicationFactor: 1 });
        await expect(creating).rejects.toThrow(
          `creating topic "${topic}-2": the access control of the cluster does not let this user (TOPIC_AUTHORIZATION_FAILED)`,
        );
        await expect(creating).rejects.toMatchObject(denied);
        await expect(bob.offsets(topic, 'latest')).rejects.toMatchObject(denied);
        await expect(bob.offsets(topic, 'latest')).rejects.toThrow(`"${topic}"`);
        await expect(bob.groupOffsets('denied')).rejects.toMatchObject(denied);
        await expect(bob.topicConfig(topic)).rejects.toMatchObject(denied);
        await alice.deleteTopic(topic);
      });
    });
  });

  test('connects anew before the broker ends the session of an expired token', async () => {
    endpoint.lifetimeS = 3;
    const settings = { ...settingsOf('native', 'sasl_tls'), tls: trust(), sasl: endpoint.sasl };
    const cluster = new Cluster({ settings, clock: realClock, log: collected.log });
    opened.push(cluster);
    const first = await cluster.connection('any');
    while (first.isOpen) await realClock.sleep(20);
    expect(first.wire.isOpen).toBe(true);
    const second = await cluster.connection('any');
    expect(second).not.toBe(first);
    expect(second.isOpen).toBe(true);
  });
});
