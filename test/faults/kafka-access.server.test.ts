import { cleanUp, type HubFolder, type HubProcess } from '../cli/support/hub-folder.ts';
import { Cluster } from '../connectors/kafka/support/cluster.ts';
import { kafkaTool, serverSuite, uniqueName } from '../support/servers.ts';
import { append, kafkaHub, numbered, says } from './support/kafka-hub.ts';

const PATIENCE_MS = 40_000;

serverSuite('a hub whose rights are taken away', ['kafka-secured'], (where) => {
  let cluster: Cluster;
  let name: string;

  beforeAll(() => {
    cluster = new Cluster(where['kafka-secured'].brokers);
  });
  beforeEach(() => {
    name = uniqueName('rights');
  });
  afterEach(cleanUp);
  afterAll(() => cluster.close());

  async function acls(...parameters: string[]): Promise<void> {
    const bootstrap = ['--bootstrap-server', where['kafka-secured'].brokers];
    await kafkaTool('org.apache.kafka.tools.AclCommand', [...bootstrap, ...parameters]);
  }

  /** Bob, who may do what such a hub needs. */
  async function hubOfBob(sink?: string): Promise<HubFolder> {
    await acls(
      ...['--add', '--allow-principal', 'User:bob', '--operation', 'All', '--resource-pattern-type', 'prefixed'],
      ...['--topic', name, '--topic', '__sluice_checkpoints'],
      ...['--group', `sluice.${name}`, '--transactional-id', `sluice.${name}`],
    );
    const sasl = "sasl: { mechanism: plain, username: bob, password: '${env:BOB}', insecure_without_tls: true }";
    const folder = await kafkaHub({
      brokers: where['kafka-secured'].sasl_plaintext,
      name,
      kafka: `, ${sasl}`,
      ...(sink === undefined ? {} : { sink }),
    });
    folder.env.BOB = 'bob-secret';
    return folder;
  }

  const denied = (topic: string): string[] => [
    ...['--deny-principal', 'User:bob', '--operation', 'Write', '--topic', topic],
  ];

  function untilPublished(hub: HubProcess, folder: HubFolder, count: number): Promise<void> {
    const published = async (): Promise<boolean> => (await folder.published('out')).length >= count;
    return hub.until(`${count} lines are published`, published, PATIENCE_MS);
  }

  test('that to write its topic: nothing is skipped, it says what is denied, and goes on when it may', async () => {
    const folder = await hubOfBob();
    const hub = folder.run();
    await append(folder, numbered('a', 0, 100));
    await untilPublished(hub, folder, 100);
    await acls('--add', ...denied(name));
    await append(folder, numbered('a', 100, 200));
    await hub.until('it says why', says(folder, /degraded: .*access control.*TOPIC_AUTHORIZATION/), PATIENCE_MS);
    expect((await folder.api('/status')).body).toContain(name);
    await hub.end('SIGKILL');
    const again = folder.run();
    await again.until('it says so again', says(folder, /: .*access control.*TOPIC_AUTHORIZATION/), PATIENCE_MS);
    await acls('--remove', '--force', ...denied(name));
    await untilPublished(again, folder, 200);
    expect(await again.end('SIGTERM')).toBe(0);
    expect(await cluster.values(name)).toEqual(numbered('a', 0, 200));
    expect(await folder.published('out')).toEqual(numbered('a', 0, 200));
  });

  test('that to write dead letters: the sink pauses in front of the refused record, and keeps it when it may', async () => {
    const sink = `file: { path: out, roll: { age: 1s, idle: 100ms } }
    where: value.n != ""`;
    const folder = await hubOfBob(sink);
    const committed = async (): Promise<number> =>
      (await cluster.client.groupOffsets(`sluice.${name}.${name}.sink.file`))[0]?.next ?? 0;
    const hub = folder.run();
    await append(folder, numbered('a', 0, 5));
    await untilPublished(hub, folder, 5);
    await acls('--add', ...denied(`${name}.dead`));
    await append(folder, ['poison', ...numbered('b', 0, 50)]);
    await hub.until(
      'it says why',
      says(folder, /paused: .*dead letters cannot be kept: .*access control/),
      PATIENCE_MS,
    );
    expect(await committed()).toBeLessThanOrEqual(5);
    await acls('--remove', '--force', ...denied(`${name}.dead`));
    await hub.end('SIGTERM');
    const again = folder.run();
    await again.until('the offset passes', async () => (await committed()) === 56, PATIENCE_MS);
    expect(await again.end('SIGTERM')).toBe(0);
    expect(await cluster.values(`${name}.dead`)).toEqual(['poison']);
    expect(await folder.published('out')).toEqual([...numbered('a', 0, 5), ...numbered('b', 0, 50)]);
  });
});
