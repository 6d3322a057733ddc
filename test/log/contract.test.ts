import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFileSystem, openDataFolder, openEmbeddedLog, type FileSystem, type LogFile } from '../../src/log/index.ts';
import { createEntryLogger, realClock } from '../../src/telemetry/index.ts';
import { topicLogContract, type TopicLogSetting } from '../../src/testing/index.ts';
import { noMetrics } from '../../src/testing/sink-harness.ts';
import { planOf } from './embedded/support/life.ts';

const endings: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of endings.splice(0)) await end();
});

/** The embedded log on the machine's own files. */
async function embeddedSetting(): Promise<TopicLogSetting> {
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-log-'));
  const failing = { isOn: false };
  const fileSystem = failingFileSystem(nodeFileSystem, failing);
  const log = createEntryLogger({ level: 'error', clock: realClock, write: () => undefined });
  const folder = await openDataFolder({ dataDir, hubId: 'hub', clock: realClock, log, fileSystem });
  endings.push(async () => {
    await folder.close();
    await rm(dataDir, { recursive: true });
  });
  const state = await folder.prepare([planOf('orders')]);
  return {
    topic: 'orders',
    refusals: ['LOG_IO', 'LOG_FULL'],
    failWrites: (isFailing) => {
      failing.isOn = isFailing;
      return Promise.resolve();
    },
    open: async () => {
      await folder.recover(['orders']);
      return openEmbeddedLog({ state, pipeline: 'orders', clock: realClock, log, metrics: noMetrics, fileSystem });
    },
  };
}

function failingFileSystem(real: FileSystem, failing: { readonly isOn: boolean }): FileSystem {
  const refuse = (): Promise<never> => Promise.reject(Object.assign(new Error('EIO: made up'), { code: 'EIO' }));
  const wrap = (file: LogFile): LogFile => ({
    write: (buffers, position) => (failing.isOn ? refuse() : file.write(buffers, position)),
    read: (target, at, length, position) => file.read(target, at, length, position),
    sync: () => file.sync(),
    truncate: (length) => file.truncate(length),
    size: () => file.size(),
    close: () => file.close(),
  });
  return {
    open: async (path, mode) => wrap(await real.open(path, mode)),
    list: (folder) => real.list(folder),
    makeFolder: (path) => real.makeFolder(path),
    syncFolder: (path) => real.syncFolder(path),
    rename: (from, to) => real.rename(from, to),
    remove: (path) => real.remove(path),
    removeFolder: (path) => real.removeFolder(path),
  };
}

test.each(topicLogContract)('$name', async ({ run }) => {
  await run(await embeddedSetting());
});
