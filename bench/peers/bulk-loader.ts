import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openClient } from '../../scripts/prove/kafka/topics.ts';
import type { KafkaToElasticsearch, Tool } from '../system.ts';
import { topicViews } from '../topic-views.ts';

const script = fileURLToPath(new URL('../processes/load-bulk.ts', import.meta.url));
/** As the hub sends. */
const DOCUMENTS = 5000;

/** What a server takes at the most: the bodies that the hub would send are made before the clock starts, and only posted. */
export const bulkLoader: Tool<KafkaToElasticsearch> = {
  kind: 'tool',
  name: 'bulk loader',
  missing: () => Promise.resolve(null),
  async prepare(task) {
    const bodies = join(task.folder, 'bodies');
    await mkdir(bodies);
    await writeBodies(task, bodies);
    return { command: process.execPath, parameters: [script, task.url, bodies] };
  },
};

async function writeBodies({ brokers, topic, index }: KafkaToElasticsearch, folder: string): Promise<void> {
  const client = openClient(brokers);
  let [lines, files] = [[] as string[], 0];
  const write = async (): Promise<void> => {
    const name = String(files++).padStart(6, '0');
    await writeFile(join(folder, name), lines.join(''));
    lines = [];
  };
  try {
    for await (const view of topicViews(client, topic)) {
      for (let at = 0; at < view.count; at++) {
        const document = Buffer.from(view.value(at)!).toString();
        lines.push(`{"create":{"_index":"${index}","_id":"${view.id(at)}"}}\n${document}\n`);
        if (lines.length === DOCUMENTS) await write();
      }
    }
    if (lines.length > 0) await write();
  } finally {
    await client.close();
  }
}
