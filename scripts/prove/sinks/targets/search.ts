import { Elastic } from '../../kafka/elastic.ts';
import type { Servers } from '../../kafka/servers.ts';
import type { Target } from '../target.ts';

type SearchService = 'elasticsearch' | 'elasticsearch-9' | 'opensearch';

/** An index of a node of the row's own, which is killed and started again. */
export async function searchIndex(service: SearchService, index: string, servers: Servers): Promise<Target> {
  const server = await servers.own(service, index);
  const { url } = server.where;
  const elastic = new Elastic(url);
  await elastic.createIndex(index, {
    n: { type: 'integer' },
    check: { type: 'long' },
    at: { type: 'date' },
    user: { type: 'keyword' },
  });
  const connector = service === 'opensearch' ? 'opensearch' : 'elasticsearch';
  return {
    sink: `  - ${connector}: { endpoints: ['${url}'], index: ${index} }\n    batch: { max_records: 5000 }\n`,
    count: () => elastic.count(index),
    sum: () => elastic.sumOf(index, 'check'),
    hasIds: true,
    hits: () => elastic.documents(index, ['n', 'check']),
    problems: () => Promise.resolve([]),
    async restart() {
      await server.kill();
      await server.startAgain();
    },
    end: () => server.down(),
  };
}
