import type { Row } from '../../rows/row.ts';
import { on, testRow } from '../../rows/test-row.ts';

const search =
  'bad records, a server that is away, full or read-only, answers lost, halved or wrong, redirects, credentials, certificates';

/** Faults that pipelines live through on a server each: nothing lost, the right dead letters, later records written, and the state says why. */
export const faultRows: readonly Row[] = [
  testRow(
    { name: 'faults-elasticsearch', component: 'Elasticsearch', fault: search, on: '–' },
    on('connectors/elasticsearch/outage.server.test.ts', 'lives through'),
  ),
  testRow(
    { name: 'faults-opensearch', component: 'OpenSearch', fault: search, on: '–' },
    on('connectors/elasticsearch/opensearch.server.test.ts', 'lives through'),
  ),
  testRow(
    { name: 'faults-solr', component: 'Solr', fault: search, on: '–' },
    on('connectors/solr/outage.proof.server.test.ts', 'lives through'),
  ),
  testRow(
    {
      name: 'faults-solr-secured',
      component: 'Solr',
      fault: 'wrong credentials and rights, mended on a server with TLS',
      on: '–',
    },
    on('connectors/solr/secured.proof.server.test.ts', 'wrong credentials', 'a user that may not write'),
  ),
  testRow(
    { name: 'faults-solr-read-only', component: 'SolrCloud', fault: 'a collection made read-only', on: '–' },
    on('connectors/solr/cloud.proof.server.test.ts', 'a read-only collection'),
  ),
];
