import { serverSuite, uniqueName } from '../../support/servers.ts';
import { sinkHarness } from './support/sink.ts';
import { Elasticsearch } from './support/elasticsearch.ts';

serverSuite('the sink of Elasticsearch', ['elasticsearch'], (where) => {
  const server = (): Elasticsearch => new Elasticsearch(where.elasticsearch.url);

  test('a batch becomes documents under the ids of its records, and is there once however often it is sent', async () => {
    const index = uniqueName('plain');
    const harness = sinkHarness({ endpoints: [where.elasticsearch.url], index }, { partitions: 2 });
    harness.append(0, ['{"n":1}', ' {\n  "n": 2\n}\r\n']);
    harness.append(1, ['{"n":3,"text":"ä\\n\\u0000"}']);
    await harness.start();
    expect(await harness.write()).toEqual({ failures: [] });
    await harness.start();
    expect(await harness.write()).toEqual({ failures: [] });
    expect(harness.status).toBe('0 written, 3 were there already');
    expect(await server().documents(index)).toEqual({
      'lines+AAAAAAAA+0+0': { n: 1 },
      'lines+AAAAAAAA+0+1': { n: 2 },
      'lines+AAAAAAAA+1+0': { n: 3, text: 'ä\n\u0000' },
    });
    await harness.stop();
  });
});
