import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { openClient } from '../../scripts/prove/kafka/topics.ts';
import { Elasticsearch } from '../connectors/elasticsearch/support/elasticsearch.ts';
import { serverSuite, uniqueName } from '../support/servers.ts';
import { cleanUp, HubFolder } from './support/hub-folder.ts';
import { runHere } from './support/run-here.ts';

const GOOD = Array.from({ length: 20 }, (_, n) => `{"n":${n}}`);
/** The last one is larger than what the dead-letter topic takes: it comes back from where it was read. */
const REFUSED = Array.from({ length: 10 }, (_, n) => `{"n":${n},"later":"${'x'.repeat(n === 9 ? 9000 : 1)}"}`);

interface Cause {
  readonly records: number;
}

serverSuite('dead letters on Kafka', ['kafka', 'elasticsearch'], (where) => {
  afterEach(cleanUp);

  test('are replayed and purged beside a running hub: each is one document, however often, and newer letters stay', async () => {
    const client = openClient(where.kafka.brokers);
    const server = new Elasticsearch(where.elasticsearch.url);
    const name = uniqueName('letters');
    const mappings = { dynamic: 'strict', properties: { n: { type: 'long' } } };
    await server.ask('PUT', `/${name}`, { mappings });
    const small = { 'max.message.bytes': '6000', 'retention.ms': '-1' };
    await client.createTopic({ name: `${name}.dead`, partitions: 1, replicationFactor: 1, config: small });
    await client.close();
    const pipeline = {
      name,
      sources: [{ file: { include: ['*.ndjson'] } }],
      topic: { name, partitions: 2, replication_factor: 1 },
      sinks: [{ elasticsearch: { endpoints: [where.elasticsearch.url], index: name } }],
    };
    const hub = `kafka: { brokers: ['${where.kafka.brokers}'], client: { session_timeout: 6s } }\ngroup: ${name}\n`;
    const folder = await HubFolder.create({ 'p.yaml': stringify(pipeline) }, hub);
    const dlq = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await runHere(folder.path, ['dlq', ...args]);
      expect([code, stderr]).toEqual([0, '']);
      return stdout;
    };
    const letters = async (): Promise<number> => {
      const { causes } = JSON.parse(await dlq('list', name, '--json')) as { causes: Cause[] };
      return causes.reduce((sum, { records }) => sum + records, 0);
    };
    await folder.write('a.ndjson', [...GOOD, ...REFUSED].map((line) => `${line}\n`).join(''));
    const running = folder.run();
    await running.until('the refused ones are dead letters', async () => (await letters()) === REFUSED.length, 30_000);

    const { pipelines } = JSON.parse(await dlq('stats', name, '--json')) as { pipelines: object[] };
    expect(pipelines).toMatchObject([{ records: REFUSED.length, by_reference: 1 }]);

    await server.ask('PUT', `/${name}/_mapping`, { properties: { later: { type: 'keyword', ignore_above: 10 } } });
    const ids = [/10 written\n/, /0 written, 10 were there already\n/];
    for (const report of ids) {
      expect(await dlq('replay', name, '--code', 'SINK_REJECTED')).toMatch(report);
      expect(await server.count(name)).toBe(GOOD.length + REFUSED.length);
    }

    const until = ['--until', new Date().toISOString()];
    await appendFile(join(folder.path, 'a.ndjson'), '{"n":1,"never":1}\n{"n":2,"never":2}\n');
    await running.until('two more are refused', async () => (await letters()) === REFUSED.length + 2);
    expect(await dlq('purge', name, ...until)).toContain('10 dead letters would be gone for good');
    await dlq('purge', name, ...until, '--execute');
    expect(await letters()).toBe(2);
    await appendFile(join(folder.path, 'a.ndjson'), '{"n":3,"never":3}\n');
    await running.until('one more is refused', async () => (await letters()) === 3);
    await dlq('purge', name, '--execute');
    expect(await letters()).toBe(0);
    expect(await running.end('SIGTERM')).toBe(0);
  }, 90_000);
});
