import type { FaultProxy } from '../../src/testing/index.ts';
import { kafkaTool, proxiedKafka, serverSuite, uniqueName, type OwnServer } from '../support/servers.ts';

serverSuite('the shared broker', ['kafka'], (where) => {
  test('is spoken to by Kafka’s own tools', async () => {
    const topic = uniqueName('orders');
    await createTopic(where.kafka.brokers, topic);
    await produce(where.kafka.brokers, topic, ['a', 'b']);
    expect(await consume(where.kafka.brokers, topic, 2)).toEqual(['a', 'b']);
  });
});

serverSuite('a broker of one’s own', [], () => {
  let server: OwnServer<'kafka'>;
  let proxy: FaultProxy;

  beforeAll(async () => {
    ({ server, proxy } = await proxiedKafka());
  }, 150_000);

  afterAll(async () => {
    proxy.close();
    await server.down();
  });

  test('advertises its proxy, so that no client comes past it', async () => {
    const parameters = ['--bootstrap-server', server.where.brokers];
    const { stdout } = await kafkaTool('org.apache.kafka.tools.BrokerApiVersionsCommand', parameters);
    expect(stdout).toContain(`${proxy.address} (id: 1`);
    expect(proxy.accepted).toBeGreaterThan(0);
  });

  test('has its data and its address again after SIGKILL', async () => {
    const topic = uniqueName('orders');
    await createTopic(proxy.address, topic);
    await produce(proxy.address, topic, ['kept']);
    await server.kill();
    await server.startAgain();
    expect(await consume(proxy.address, topic, 1)).toEqual(['kept']);
  });
});

function createTopic(brokers: string, topic: string): Promise<unknown> {
  return kafkaTool('org.apache.kafka.tools.TopicCommand', [
    ...['--bootstrap-server', brokers, '--create', '--topic', topic, '--partitions', '1'],
  ]);
}

function produce(brokers: string, topic: string, lines: readonly string[]): Promise<unknown> {
  const parameters = ['--bootstrap-server', brokers, '--topic', topic];
  return kafkaTool('org.apache.kafka.tools.ConsoleProducer', parameters, `${lines.join('\n')}\n`);
}

async function consume(brokers: string, topic: string, count: number): Promise<string[]> {
  const parameters = [
    '--bootstrap-server',
    brokers,
    '--topic',
    topic,
    '--from-beginning',
    '--max-messages',
    String(count),
  ];
  const { stdout } = await kafkaTool('org.apache.kafka.tools.consumer.ConsoleConsumer', parameters);
  return stdout.split('\n').filter((line) => line !== '');
}
