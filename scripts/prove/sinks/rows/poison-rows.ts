import type { Row } from '../../rows/row.ts';
import { provePoisonedSink } from '../poison.ts';
import { poisonedElasticsearch, poisonedSolr } from '../targets/poison-target.ts';

const fault = '1 % of the records refused: at least 80 % of the rate of a clean stream, all of them dead letters';

export const poisonRows: readonly Row[] = [
  {
    name: 'poison-elasticsearch',
    component: 'Elasticsearch 8',
    fault,
    on: 'one broker',
    by: { lines: 200_000, kills: 0, prove: provePoisonedSink('sinks-poison-elasticsearch', poisonedElasticsearch) },
  },
  {
    name: 'poison-solr',
    component: 'Solr',
    fault,
    on: 'one broker',
    by: { lines: 100_000, kills: 0, prove: provePoisonedSink('sinks-poison-solr', poisonedSolr) },
  },
];
