import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { readDataFolder } from '../../../src/log/index.ts';
import { batchOf, type ReadRecord } from '../../../src/testing/topic-log-reader.ts';
import { planOf } from './support/life.ts';
import { RealLog } from './support/real-log.ts';

interface Message {
  readonly type: 'ready' | 'records' | 'ended';
  readonly records?: ReadRecord[];
  readonly code?: string;
}

let real: RealLog;

beforeEach(async () => {
  real = await RealLog.create();
});

afterEach(() => real.remove());

const writer = planOf('writer', { sinks: [] });
const reader = planOf('reader', { topic: { name: 'writer' }, writesTopic: false, deadLetter: null });

test('a pipeline in another thread reads what was committed, as soon as it is, and nothing before', async () => {
  const folder = await real.folder();
  const state = await folder.prepare([writer, reader]);
  const log = await real.open(state, 'writer');
  const thread = new Worker(pathToFileURL(join(import.meta.dirname, 'support', 'reader-thread.ts')), {
    workerData: { state, pipeline: 'reader', topic: 'writer' },
  });
  const messages: Message[] = [];
  let onMessage: () => void = () => undefined;
  thread.on('message', (message: Message) => {
    messages.push(message);
    onMessage();
  });
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await new Promise<void>((resolve) => (onMessage = resolve));
  };
  await until(() => messages.length > 0);

  const read = (): string[] => messages.flatMap(({ records = [] }) => records.map(({ value }) => value));
  for (let number = 0; number < 20; number++) {
    await log.commit({ batches: [batchOf('writer', number % 3, [`value ${number}`])] });
    await until(() => read().length > number);
    expect(read().at(-1)).toBe(`value ${number}`);
  }
  const { pipelines } = await readDataFolder({ dataDir: real.dataDir });
  expect(pipelines.find(({ pipeline }) => pipeline === 'reader')?.sinks.map(({ next }) => next)).toEqual([7, 7, 6]);

  const exited = once(thread, 'exit');
  thread.postMessage('stop');
  await until(() => messages.at(-1)?.type === 'ended');
  expect(messages.at(-1)?.code).toBe('LOG_CLOSED');
  await exited;
});

test('a worker that is gone without a word is recovered, and its pipeline opened again', async () => {
  const folder = await real.folder();
  const state = await folder.prepare([writer, reader]);
  const log = await real.open(state, 'writer');
  await log.commit({ batches: [batchOf('writer', 0, ['one', 'two'])] });
  const thread = new Worker(pathToFileURL(join(import.meta.dirname, 'support', 'reader-thread.ts')), {
    workerData: { state, pipeline: 'reader', topic: 'writer' },
  });
  await once(thread, 'message');
  await expect(real.open(state, 'reader')).rejects.toMatchObject({ code: 'LOG_CLOSED' });
  await thread.terminate();
  await folder.recover(['reader']);
  const again = await real.open(state, 'reader');
  expect(again.describe('writer').partitions).toBe(3);
  await log.commit({ batches: [batchOf('writer', 0, ['three'])] });
});
