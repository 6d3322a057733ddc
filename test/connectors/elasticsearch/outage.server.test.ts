import { serverSuite } from '../../support/servers.ts';
import { describeFaults } from './support/faults.ts';

serverSuite('a pipeline into Elasticsearch lives through', ['elasticsearch'], (where) => {
  describeFaults('elasticsearch', () => where.elasticsearch.url);
});
