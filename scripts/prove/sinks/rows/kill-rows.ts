import type { Row } from '../../rows/row.ts';
import { fileFeed } from '../file-feed.ts';
import { kafkaFeed } from '../kafka-feed.ts';
import { proveKilledSink, type KillOptions } from '../kill-sink.ts';
import { fileTree } from '../targets/file-tree.ts';

const size = { lines: 300_000, kills: 5, long: { lines: 1_000_000, kills: 20 } };
const fault = 'five times kill -9 and a restart of the server under load';

export const killRows: readonly Row[] = [
  {
    name: 'kill-files',
    component: 'file',
    fault: `${fault}, a folder for each day of the events, some of them late; Kafka is restarted`,
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
