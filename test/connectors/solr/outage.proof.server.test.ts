import { serverSuite } from '../../support/servers.ts';
import { describeFaults } from './support/faults.ts';

serverSuite('a pipeline into Solr lives through', ['solr'], (where) => {
  describeFaults(() => where.solr.url);
});
