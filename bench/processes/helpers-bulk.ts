/**
 * `node helpers-bulk.ts BROKERS TOPIC URL INDEX fixed|daily`: each record of the topic a document, by `helpers.bulk` of @elastic/elasticsearch. Records are read by
 * the client of the hub, the cheapest there is, so that the sender is what is compared.
 */
import { Client } from '@elastic/elasticsearch';
import { topicViews } from '../topic-views.ts';
import { openClient } from '../../scripts/prove/kafka/topics.ts';

/** About 5,000 documents of 300 bytes with their actions, as the hub sends. */
const FLUSH_BYTES = 2_000_000;
const CONCURRENCY = 4;

const [brokers, topic, url, index, days] = process.argv.slice(2) as [string, string, string, string, string];
const kafka = openClient(brokers);
const elastic = new Client({ node: url });
let action = { create: { _index: index, _id: '' } };
let [day, nameOfDay] = [-1, ''];

const { failed } = await elastic.helpers.bulk<string>({
  datasource: documents(),
  // The documents are JSON already: as strings they are sent as they are, objects would be serialised.
  onDocument: () => action,
  flushBytes: FLUSH_BYTES,
  concurrency: CONCURRENCY,
  // The answer to each document counts, what else it says does not.
  filter_path: ['errors', 'items.*.status', 'items.*.error'],
});
if (failed > 0) throw new Error(`${failed} documents were refused`);
await Promise.all([elastic.close(), kafka.close()]);

async function* documents(): AsyncGenerator<string> {
  for await (const view of topicViews(kafka, topic)) {
    for (let at = 0; at < view.count; at++) {
      // The helper asks for the action of a document before it takes the next one.
      action = { create: { _index: days === 'daily' ? dailyIndex(view.timestamp(at)) : index, _id: view.id(at) } };
      yield text(view.value(at)!);
    }
  }
}

function dailyIndex(timestampMs: number): string {
  const now = Math.floor(timestampMs / 86_400_000);
  if (now !== day) {
    day = now;
    nameOfDay = `${index}-${new Date(timestampMs).toISOString().slice(0, 10).replaceAll('-', '.')}`;
  }
  return nameOfDay;
}

function text(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8');
}
