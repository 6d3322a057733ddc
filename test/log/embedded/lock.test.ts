import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { readDataFolder } from '../../../src/log/index.ts';
import { batchOf } from '../../../src/testing/topic-log-reader.ts';
import { planOf } from './support/life.ts';
import { RealLog } from './support/real-log.ts';

let real: RealLog;

beforeEach(async () => {
  real = await RealLog.create();
});

afterEach(() => real.remove());

test('a second holder is refused, with the first one’s process and start', async () => {
  await real.folder();
  await expect(real.folder()).rejects.toMatchObject({
    code: 'DATA_FOLDER_IN_USE',
    message: expect.stringMatching(
      new RegExp(
        `the data folder ${basename(real.dataDir)} is in use by process ${process.pid} \\(started .+\\)\\. Stop`,
      ),
    ) as string,
  });
  await real.stop();
  await real.folder();
});

test('SIGKILL frees the folder at once, whatever file it leaves', async () => {
  const script = `
    const { lockFolder } = await import(${JSON.stringify(join(import.meta.dirname, '../../../src/log/index.ts'))});
    await lockFolder(${JSON.stringify(real.dataDir)});
    console.log('held');
    setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ['-C', 'sluice-source', '--input-type=module', '-e', script]);
  await once(holder.stdout, 'data');
  await expect(real.folder()).rejects.toMatchObject({
    code: 'DATA_FOLDER_IN_USE',
    message: expect.stringContaining(`process ${holder.pid!} `) as string,
  });
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  expect(await readFile(join(real.dataDir, 'hub.pid'), 'utf8')).toContain(String(holder.pid));
  await real.folder();
});

test('the id of the hub is made once, and nobody else may look into the folder', async () => {
  const { hubId } = await real.folder();
  await real.stop();
  expect((await real.folder()).hubId).toBe(hubId);
  expect(hubId).toMatch(/^[0-9a-f]{12}$/);
  await real.stop();
  const log = await real.start([planOf('orders')]);
  await log.commit({ batches: [batchOf('orders', 0, ['a'])] });
  const mode = async (path: string): Promise<number> => (await stat(join(real.dataDir, path))).mode & 0o777;
  expect(await mode('topics/orders/0')).toBe(0o700);
  expect(await mode('topics/orders/0/00000000000000000000.log')).toBe(0o600);
  expect(await mode('journals/orders')).toBe(0o700);
});

test('forgetting a sink or a source is for whoever holds the folder, while the pipeline does not run', async () => {
  const folder = await real.folder();
  const plan = planOf('orders');
  const log = await real.open(await folder.prepare([plan]), 'orders');
  await log.commit({ positions: [['source', 'a', 5]], dedupe: [{ source: 'source', id: 'x', atMs: 1 }] });
  const { BufferPool } = await import('../../../src/record/index.ts');
  const pool = new BufferPool({ budgetBytes: 65_536 });
  await log.subscribe({ sink: 'sink', topic: 'orders', start: 'earliest', pool, fetchBytes: 1000 });
  await expect(folder.forgetSink('orders', 'sink')).rejects.toMatchObject({ code: 'DATA_FOLDER_IN_USE' });
  await log.close();
  expect(await folder.forgetSink('orders', 'other')).toBe(false);
  expect(await folder.forgetSink('orders', 'sink')).toBe(true);
  expect(await folder.forgetSink('orders', 'sink')).toBe(false);
  expect(await folder.forgetSource('orders', 'source')).toBe(true);
  expect(await folder.forgetSource('nobody', 'source')).toBe(false);
  const { pipelines } = await readDataFolder({ dataDir: real.dataDir });
  expect(pipelines).toEqual([{ pipeline: 'orders', sources: [], sinks: [] }]);
});
