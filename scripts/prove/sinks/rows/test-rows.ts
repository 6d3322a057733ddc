import { on, testRow } from '../../rows/test-row.ts';
import type { Row } from '../../rows/row.ts';

const cloud = 'connectors/solr/cloud.proof.server.test.ts';

/** What tests show as they are. */
export const testRows: readonly Row[] = [
  testRow(
    { name: 'solr-routing', component: 'SolrCloud', fault: 'each shard asked by itself (`distrib=false`)', on: '–' },
    on(cloud, 'documents lie in the shard that their id says', 'a document that is refused beside others, by shard'),
  ),
  testRow(
    { name: 'solr-leader-killed', component: 'SolrCloud', fault: 'a leader killed under load', on: '–' },
    on(cloud, 'a leader that is killed under load'),
  ),
  testRow(
    {
      name: 'solr-leader-frozen',
      component: 'SolrCloud',
      fault: 'a leader stopped by SIGSTOP for 25 s under load',
      on: '–',
    },
    on(cloud, 'a leader that stands still'),
  ),
  testRow(
    { name: 'solr-alias', component: 'SolrCloud', fault: 'an alias turned to another collection', on: '–' },
    on(cloud, 'an alias that is turned to another collection'),
  ),
];
