import { createHash } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { Writer } from '@platformatic/kafka';
import { Cluster } from '../../../src/kafka/native/cluster.ts';
import { realClock } from '../../../src/telemetry/index.ts';
import { FastClock } from '../../pipeline/support/clock.ts';
import { kafkaSettings, quietLog } from '../support/clients.ts';
import { metadata, ScriptedBroker, type ScriptedRequest } from '../support/scripted-broker.ts';

const clusters: Cluster[] = [];
const brokers: ScriptedBroker[] = [];

function clusterOf(
  addresses: readonly string[],
  options: { clock?: FastClock; onWait?: (why: string | null) => void } = {},
): Cluster {
  const settings = kafkaSettings({ driver: 'native', brokers: [...addresses] });
  const { clock = realClock, ...more } = options;
  const cluster = new Cluster({ settings, clock, log: quietLog, ...more });
  clusters.push(cluster);
  return cluster;
}

async function scripted(
  script?: (request: ScriptedRequest, broker: ScriptedBroker) => Writer | null,
): Promise<ScriptedBroker> {
  const broker = await ScriptedBroker.start();
  if (script !== undefined) broker.script = (request) => script(request, broker);
  brokers.push(broker);
  return broker;
}

async function unusedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

afterEach(async () => {
  await Promise.all(clusters.splice(0).map((cluster) => cluster.close()));
  await Promise.all(brokers.splice(0).map((broker) => broker.stop()));
});

describe('reaching brokers', () => {
  test('tries the brokers of the settings in turn', async () => {
    const broker = await scripted();
    const cluster = clusterOf([`127.0.0.1:${await unusedPort()}`, broker.address]);
    expect((await cluster.connection('any')).address).toBe(broker.address);
    expect(await cluster.metadata.cluster()).toMatchObject({ id: 'scripted-cluster', controller: 1 });
  });

  test('names each broker that was tried, and why', async () => {
    const port = await unusedPort();
    const cluster = clusterOf([`127.0.0.1:${port}`, 'kafka.invalid:9092']);
    await expect(cluster.connection('any')).rejects.toMatchObject({
      code: 'KAFKA_UNREACHABLE',
      retryable: true,
      matter: `broker 127.0.0.1:${port} refuses connections; the name of broker kafka.invalid:9092 cannot be resolved`,
    });
  });

  test('waits with back-off, says for what, and goes on when a broker comes', async () => {
    const port = await unusedPort();
    const reasons: (string | null)[] = [];
    const cluster = clusterOf([`127.0.0.1:${port}`], { onWait: (why) => reasons.push(why) });
    let attempts = 0;
    const reached = cluster.retrying('trying', async () => {
      attempts++;
      return cluster.connection('any');
    });
    while (reasons.length === 0) await realClock.sleep(20);
    expect(attempts).toBeLessThan(12);
    expect(reasons).toEqual([`broker 127.0.0.1:${port} refuses connections`]);
    expect(cluster.waitingFor).toBe(reasons[0]);
    brokers.push(await ScriptedBroker.start(port));
    await reached;
    expect(reasons.at(-1)).toBeNull();
  });

  test('makes a connection anew after it broke', async () => {
    const broker = await scripted();
    const cluster = clusterOf([broker.address]);
    const first = await cluster.connection('any');
    broker.cut();
    while (first.isOpen) await realClock.sleep(5);
    const second = await cluster.connection('any');
    expect(second).not.toBe(first);
    expect(second.isOpen).toBe(true);
  });

  test('one connection for calls at once, another for each lane', async () => {
    const broker = await scripted();
    const cluster = clusterOf([broker.address]);
    const [one, other] = await Promise.all([cluster.connection('any'), cluster.connection('any')]);
    expect(other).toBe(one);
    const lane = await cluster.connection({ node: 1 }, { lane: 'fetch-1' });
    expect(lane).not.toBe(one);
    expect(await cluster.connection({ node: 1 }, { lane: 'fetch-1' })).toBe(lane);
  });

  test('a request that is not answered ends the connection of its lane only', async () => {
    const broker = await scripted((request, self) => {
      const isTest = self.count('Metadata') > 1;
      return request.api === 'Metadata' && isTest ? null : self.wellBehaved(request);
    });
    const cluster = clusterOf([broker.address]);
    const poll = await cluster.connection({ node: 1 }, { lane: 'fetch-1' });
    const short = await cluster.connection({ node: 1 }, { lane: 'short', requestTimeoutMs: 100 });
    const { metadataV12 } = await import('@platformatic/kafka');
    await expect(short.call([metadataV12.api], [], false)).rejects.toMatchObject({
      code: 'KAFKA_UNREACHABLE',
      matter: `broker ${broker.address} does not answer a request within its time-out`,
    });
    expect(short.isOpen).toBe(false);
    expect(poll.isOpen).toBe(true);
  });

  test('a broker that starts and knows no brokers yet is asked again', async () => {
    const broker = await scripted((request, self) =>
      request.api === 'Metadata' && self.count('Metadata') < 3 ? metadata([]) : self.wellBehaved(request),
    );
    const cluster = clusterOf([broker.address]);
    const view = await cluster.retrying('asking for the brokers', () => cluster.metadata.cluster());
    expect(view.brokers.size).toBe(1);
  });

  test('brokers that close the connection may want credentials, unless they answered before', async () => {
    let closes = true;
    const broker = await scripted((request, self) => {
      if (request.api !== 'Metadata' || !closes) return self.wellBehaved(request);
      request.socket.destroy();
      return null;
    });
    const cluster = clusterOf([broker.address]);
    const closed = `broker ${broker.address} closed the connection`;
    await expect(cluster.metadata.cluster()).rejects.toThrow(`${closed}, as brokers do that ask for credentials`);
    closes = false;
    await cluster.retrying('asking for the brokers', () => cluster.metadata.cluster());
    closes = true;
    cluster.metadata.invalidate();
    await expect(cluster.metadata.cluster()).rejects.toThrow(new RegExp(`${closed}$`));
  });

  test('asks another broker while one is silent', async () => {
    const second = await scripted();
    const first = await scripted((request, self) => {
      if (request.api !== 'Metadata') return self.wellBehaved(request);
      if (self.count('Metadata') > 1) return null;
      return metadata([self, second].map(({ port }, index) => ({ node: index + 1, host: '127.0.0.1', port })));
    });
    const cluster = clusterOf([first.address]);
    await cluster.connection('any');
    const silent = cluster.metadata.list(null).catch((reason: unknown) => reason);
    while ((await cluster.connection('any')).address === first.address) await realClock.sleep(50);
    expect(await cluster.metadata.list(null)).toEqual([]);
    await cluster.close();
    expect(await silent).toMatchObject({ code: 'KAFKA_CLOSED' });
  });

  test('closes connections that nobody uses', async () => {
    const broker = await scripted();
    const cluster = clusterOf([broker.address], { clock: new FastClock(1000) });
    const idle = await cluster.connection('any');
    while (idle.isOpen) await realClock.sleep(20);
    expect((await cluster.connection('any')).isOpen).toBe(true);
  });

  test('asks nothing of a broker that throttles until the time is over', async () => {
    const broker = await scripted((request, self) =>
      request.api === 'Metadata'
        ? metadata([{ node: 1, host: '127.0.0.1', port: self.port }], [], 300)
        : self.wellBehaved(request),
    );
    const cluster = clusterOf([broker.address]);
    const before = performance.now();
    await cluster.metadata.cluster();
    await cluster.connection('any');
    expect(performance.now() - before).toBeGreaterThan(290);
  });

  test('speaks with brokers that know only the first version of ApiVersions', async () => {
    const broker = await scripted((request, self) => {
      if (request.api !== 'ApiVersions') return self.wellBehaved(request);
      const apis = [
        [3, 5, 12],
        [18, 0, 0],
      ] as const;
      const answer = Writer.create().appendInt16(request.version === 0 ? 0 : 35);
      return answer.appendArray(
        [...apis],
        (writer, [key, lowest, highest]) => writer.appendInt16(key).appendInt16(lowest).appendInt16(highest),
        false,
        false,
      );
    });
    const cluster = clusterOf([broker.address]);
    const connection = await cluster.connection('any');
    expect(connection.version('Metadata', 5, 12)).toBe(12);
    expect(connection.feature('group.version')).toBe(0);
    expect(() => connection.version('Fetch', 4, 12)).toThrow(/Fetch in version 4 to 12: it does not speak it/);
    expect(() => connection.version('Metadata', 13, 14)).toThrow(
      /speaks versions 5 to 12.*`driver: kafkajs` for older/,
    );
  });

  test('ends what waits when it is closed, and when a signal aborts', async () => {
    const cluster = clusterOf([`127.0.0.1:${await unusedPort()}`]);
    const waiting = cluster.retrying('waiting', () => cluster.connection('any'));
    const aborted = cluster.retrying(
      'waiting',
      () => cluster.connection('any'),
      AbortSignal.abort(new Error('enough')),
    );
    await expect(aborted).rejects.toThrow('enough');
    await cluster.close();
    await expect(waiting).rejects.toMatchObject({ code: 'KAFKA_CLOSED' });
    await expect(cluster.connection('any')).rejects.toMatchObject({ code: 'KAFKA_CLOSED' });
  });
});

describe('hostile bytes', () => {
  test('an HTTP server', async () => {
    const server = createHttpServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    await expect(clusterOf([`127.0.0.1:${port}`]).connection('any')).rejects.toThrow(
      `127.0.0.1:${port} answers in HTTP: it is no Kafka broker, or another port of one`,
    );
    server.closeAllConnections();
    server.close();
  });

  test.each([
    ['1 GB', 1_000_000_000],
    ['a negative number', -5],
    ['less than a header', 3],
  ])('a frame that announces %s is not gathered', async (_name, length) => {
    let sent = 0;
    const broker = await scripted(({ socket }) => {
      const chunk = Buffer.alloc(1024 * 1024);
      const send = (): void => {
        if (socket.destroyed || sent > 200) return;
        sent++;
        socket.write(chunk, send);
      };
      const header = Buffer.alloc(4);
      header.writeInt32BE(length);
      socket.write(header, send);
      return null;
    });
    await expect(clusterOf([broker.address]).connection('any')).rejects.toMatchObject({
      code: 'KAFKA_UNREACHABLE',
      message: expect.stringContaining('answers in something else than Kafka’s protocol') as string,
    });
    expect(sent).toBeLessThan(50);
  });

  test('a body that is none', async () => {
    const broker = await scripted(() => Writer.create().appendInt16(0).append(Buffer.alloc(50, 0xff)));
    await expect(clusterOf([broker.address]).connection('any')).rejects.toThrow(
      'answers in something else than Kafka’s protocol',
    );
  });

  test('an answer to nothing that was asked', async () => {
    const broker = await scripted(({ socket }) => {
      socket.write(Buffer.from('00000006000000630000', 'hex'));
      return null;
    });
    await expect(clusterOf([broker.address]).connection('any')).rejects.toThrow(
      'answers in something else than Kafka’s protocol',
    );
  });

  test('a body that is none, later: the request fails, with the broker named', async () => {
    const broker = await scripted((request, self) => {
      const isLater = request.api === 'Metadata' && self.count('Metadata') > 1;
      return isLater ? Writer.create().append(Buffer.alloc(50, 0xff)) : self.wellBehaved(request);
    });
    const cluster = clusterOf([broker.address]);
    await cluster.connection('any');
    await expect(cluster.metadata.list(null)).rejects.toMatchObject({ code: 'KAFKA_REFUSED', retryable: false });
  });

  test('an answer that is cut off is asked for again', async () => {
    const broker = await scripted((request, self) => {
      if (request.api !== 'Metadata' || self.count('Metadata') !== 2) return self.wellBehaved(request);
      request.socket.end(Buffer.from('000003e8', 'hex'));
      return null;
    });
    const cluster = clusterOf([broker.address]);
    expect(await cluster.metadata.list(null)).toEqual([]);
    expect(broker.count('Metadata')).toBeGreaterThan(2);
  });
});

describe('what the cluster says of topics', () => {
  const me = (broker: ScriptedBroker): { node: number; host: string; port: number }[] => [
    { node: 1, host: '127.0.0.1', port: broker.port },
  ];

  test('is asked for once by those who ask at once, and kept until it is old or out of date', async () => {
    const broker = await scripted((request, self) =>
      request.api === 'Metadata' ? metadata(me(self), [{ name: 'a' }, { name: 'b' }]) : self.wellBehaved(request),
    );
    const cluster = clusterOf([broker.address], { clock: new FastClock(1000) });
    await cluster.connection('any');
    cluster.metadata.invalidate();
    const before = broker.count('Metadata');
    await Promise.all([cluster.metadata.topic('a'), cluster.metadata.topic('b'), cluster.metadata.topic('a')]);
    await cluster.metadata.topic('a');
    expect(broker.count('Metadata')).toBe(before + 1);
    expect(cluster.metadata.leader('a', 0)).toEqual({ node: 1, epoch: 0 });
    expect(cluster.metadata.leader('a', 1)).toBeNull();

    cluster.metadata.invalidate('a');
    expect(cluster.metadata.leader('a', 0)).toEqual({ node: 1, epoch: 0 });
    await cluster.metadata.topic('a');
    expect(broker.count('Metadata')).toBe(before + 2);

    await realClock.sleep(310);
    await cluster.metadata.topic('a');
    expect(broker.count('Metadata')).toBe(before + 3);
  });

  test('a topic that does not exist is given a moment', async () => {
    let answers = 0;
    const broker = await scripted((request, self) => {
      if (request.api !== 'Metadata') return self.wellBehaved(request);
      const isThere = ++answers > 4;
      return metadata(me(self), [{ name: 'late', errorCode: isThere ? 0 : 3 }]);
    });
    const cluster = clusterOf([broker.address], { clock: new FastClock(5) });
    expect((await cluster.metadata.topic('late')).incarnation).toBe('AQIDBAUG');
    answers = -1000;
    cluster.metadata.invalidate();
    await expect(cluster.metadata.topic('late')).rejects.toMatchObject({ code: 'TOPIC_UNKNOWN', retryable: false });
  });

  test('of one that is missing says nothing about others', async () => {
    const broker = await scripted((request, self) =>
      request.api === 'Metadata'
        ? metadata(me(self), [{ name: 'a' }, { name: 'missing', errorCode: 3 }])
        : self.wellBehaved(request),
    );
    const cluster = clusterOf([broker.address], { clock: new FastClock(10) });
    await cluster.metadata.topic('a');
    await expect(cluster.metadata.topic('missing')).rejects.toMatchObject({ code: 'TOPIC_UNKNOWN' });
    expect(cluster.metadata.leader('a', 0)).toEqual({ node: 1, epoch: 0 });
  });

  test('brokers without topic ids: the incarnation is made of cluster and name', async () => {
    const topic = { name: 'a', id: '00000000-0000-0000-0000-000000000000' };
    const broker = await scripted((request, self) =>
      request.api === 'Metadata' ? metadata(me(self), [topic]) : self.wellBehaved(request),
    );
    const hash = createHash('sha256').update('scripted-cluster\0a').digest();
    expect(await clusterOf([broker.address]).metadata.topic('a')).toMatchObject({
      id: null,
      incarnation: hash.subarray(0, 6).toString('base64url'),
    });
  });

  test('a broker that lags behind does not bring an old leader back, a recreated topic does', async () => {
    let topic = { name: 'a', id: '01020304-0506-0708-090a-0b0c0d0e0f10', leaderEpoch: 7 };
    const broker = await scripted((request, self) =>
      request.api === 'Metadata' ? metadata(me(self), [topic]) : self.wellBehaved(request),
    );
    const { metadata: known } = clusterOf([broker.address]);
    await known.topic('a');
    topic = { ...topic, leaderEpoch: 6 };
    known.invalidate();
    expect((await known.topic('a')).partitions[0]?.epoch).toBe(7);
    const oldId = topic.id;
    topic = { name: 'a', id: 'ff020304-0506-0708-090a-0b0c0d0e0f10', leaderEpoch: 0 };
    known.invalidate();
    expect(await known.topic('a')).toMatchObject({ incarnation: '_wIDBAUG', partitions: [{ epoch: 0 }] });
    expect(known.nameOf(oldId)).toBeNull();
    expect(known.nameOf(topic.id)).toBe('a');
  });
});
