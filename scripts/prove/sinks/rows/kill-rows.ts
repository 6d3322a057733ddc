import { elasticsearch9Java } from '../../../services/elasticsearch.ts';
import { jdkFrom } from '../../../services/jdk.ts';
import type { Row } from '../../rows/row.ts';
import { fileFeed } from '../file-feed.ts';
import { kafkaFeed } from '../kafka-feed.ts';
import { proveKilledSink, type KillOptions } from '../kill-sink.ts';
import { searchIndex } from '../targets/search.ts';
import { solrCollection } from '../targets/solr-cloud.ts';
import { fileTree } from '../targets/file-tree.ts';

const size = { lines: 300_000, kills: 5, long: { lines: 1_000_000, kills: 20 } };
const fault = 'five times kill -9 under load';

export const killRows: readonly Row[] = [
  searchRow('elasticsearch', 'Elasticsearch 8'),
  {
    ...searchRow('elasticsearch-9', 'Elasticsearch 9'),
    missing: missingJdk,
  },
  searchRow('opensearch', 'OpenSearch'),
  {
    name: 'kill-solr-cloud',
    component: 'SolrCloud',
    fault:
      'five times kill -9 under load; 2 shards × 2 replicas, whose nodes are killed one after the other and started again',
    on: 'one broker',
    by: {
      ...size,
      prove: killed('sinks-solr-cloud', async ({ name }, servers) => {
        const { brokers } = await servers.shared('kafka');
        return { target: await solrCollection(name, servers), feed: await kafkaFeed(brokers, name) };
      }),
    },
  },
  {
    name: 'kill-files',
    component: 'file',
    fault: `${fault}, a restart of the broker; a folder for each day of the events, some of them late`,
    on: 'one broker',
    by: {
      ...size,
      prove: killed('sinks-files', async ({ hubFolder, name }, servers) => {
        const broker = await servers.own('kafka', name);
        const restart = async (): Promise<void> => {
          await broker.stop();
          await broker.startAgain();
        };
        const target = fileTree(hubFolder, restart);
        return { feed: await kafkaFeed(broker.where.brokers, name), target: { ...target, end: () => broker.down() } };
      }),
    },
  },
  {
    name: 'kill-files-embedded',
    component: 'file',
    fault: 'kill -9 under load, a folder for each day of the events, some of them late',
    on: 'embedded',
    by: {
      lines: 40_000,
      kills: 3,
      long: { lines: 1_000_000, kills: 20 },
      prove: killed('sinks-files-embedded', async ({ hubFolder }) => ({
        feed: await fileFeed(hubFolder),
        target: fileTree(hubFolder, null),
      })),
    },
  },
];

function killed(name: string, open: KillOptions['open']): ReturnType<typeof proveKilledSink> {
  return proveKilledSink({ name, open });
}

function searchRow(service: Parameters<typeof searchIndex>[0], component: string): Row {
  return {
    name: `kill-${service}`,
    component,
    fault: `${fault}; the node is killed and started again`,
    on: 'one broker',
    by: {
      ...size,
      prove: killed(`sinks-${service}`, async ({ name }, servers) => {
        const { brokers } = await servers.shared('kafka');
        return { target: await searchIndex(service, name, servers), feed: await kafkaFeed(brokers, name) };
      }),
    },
  };
}

async function missingJdk(): Promise<string | null> {
  try {
    await jdkFrom(elasticsearch9Java);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}
