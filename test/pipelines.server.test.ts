import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cleanUp, HubFolder } from './cli/support/hub-folder.ts';
import { Elasticsearch } from './connectors/elasticsearch/support/elasticsearch.ts';
import { Cluster } from './connectors/kafka/support/cluster.ts';
import { serverSuite, uniqueName } from './support/servers.ts';

const examples = join(import.meta.dirname, '..', 'pipelines');

serverSuite('the examples that need a server', ['elasticsearch', 'kafka'], (where) => {
  afterEach(cleanUp);

  test('elasticsearch: each record is a document, by level, and the newest of each level once more', async () => {
    const prefix = uniqueName('example');
    const folder = await HubFolder.create({});
    await cp(examples, join(folder.path, 'pipelines'), { recursive: true });
    const text = await readFile(join(examples, 'elasticsearch.yaml'), 'utf8');
    const here = text.replaceAll('http://127.0.0.1:9200', where.elasticsearch.url).replaceAll('example-', `${prefix}-`);
    await folder.write('pipelines/elasticsearch.yaml', here);
    const server = new Elasticsearch(where.elasticsearch.url);
    for (const round of [0, 1]) {
      const hub = folder.run('--once', 'pipelines/elasticsearch.yaml');
      expect({ round, code: await hub.exit(), stderr: hub.stderr }).toMatchObject({ code: 0 });
      expect(await server.count(`${prefix}-*`)).toBe(10_000 + 4);
    }
    const newest = await server.documents(`${prefix}-newest`);
    expect(Object.keys(newest).sort()).toEqual(['DEBUG', 'ERROR', 'INFO', 'WARN']);
    expect(Math.max(...Object.values(newest).map((document) => (document as { n: number }).n))).toBe(9999);
  });

  test('kafka: the sample log through a topic of Kafka into files, each record once; what failed in another topic', async () => {
    const topic = uniqueName('access');
    const folder = await HubFolder.create({});
    await cp(examples, join(folder.path, 'pipelines'), { recursive: true });
    const names = ['pipelines/kafka-out.yaml', 'pipelines/kafka-in.yaml'] as const;
    for (const name of names) {
      const text = (await readFile(join(folder.path, name), 'utf8')).replaceAll('127.0.0.1:9092', where.kafka.brokers);
      const here = text
        .replace('topic: access-errors', `topic: ${topic}-errors`)
        .replace('topic: access }', `topic: ${topic} }`);
      await folder.write(name, here.replace('[access]', `[${topic}]`));
    }
    const cluster = new Cluster(where.kafka.brokers);
    try {
      await cluster.createTopic(topic, 4);
      await cluster.createTopic(`${topic}-errors`);
      for (const name of names) {
        const hub = folder.run('--once', name);
        expect({ name, code: await hub.exit(), stderr: hub.stderr }).toMatchObject({ code: 0 });
      }
      const lines = (await readFile(join(examples, 'data', 'access.log'), 'utf8')).trimEnd().split('\n').sort();
      expect(await folder.published('examples-out/kafka')).toEqual(lines);
      expect((await cluster.values(`${topic}-errors`)).sort()).toEqual(
        lines.filter((line) => /" (500|404) /.test(line)),
      );
    } finally {
      await cluster.close();
    }
  });
});
