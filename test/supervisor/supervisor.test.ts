import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTestHub, endHubs, pipelinePlan, type TestHub } from './support/hub.ts';

// Workers start slowly on a busy machine.
jest.setTimeout(30_000);
afterEach(endHubs);

const allRun = (hub: TestHub): Promise<unknown> =>
  hub.until('start', ({ pipelines }) => pipelines.every(({ state }) => state === 'running'));

test.each([
  ['throws', 'crashed', /a connector threw/],
  ['nothing', 'crashed', /null/],
  ['rejects', 'crashed', /nobody caught this/],
  ['exits', 'exited', /code 3/],
  ['hangs', 'blocked', /event loop was blocked/],
  ['buffers', 'memory', /more than its budget of 96 MiB/],
  ['heap', 'memory', /memory limit/],
])(
  'a worker whose pipeline %s is lost as %s, replaced, and leaves the others untouched',
  async (name, cause, reason) => {
    // A heap that fills lets the event loop turn no more: on a busy machine it may take longer than the usual limit.
    const plan =
      name === 'heap' ? { watchdogMs: 20_000 } : name === 'hangs' || name === 'buffers' ? { watchdogMs: 1500 } : {};
    const hub = await createTestHub({ pipelines: [name, 'neighbour'], plan });
    await hub.supervisor.start();
    await allRun(hub);
    hub.supervisor.resume(name);
    const lost = await hub.until('loss', () => hub.pipeline(name).state === 'backing_off');
    expect(lost.pipelines.find((pipeline) => pipeline.name === name)?.reason).toMatch(reason);
    expect(hub.pipeline('neighbour')).toMatchObject({ state: 'running', restarts: 0 });
    await hub.until('restart', () => hub.pipeline(name).state === 'running');
    expect(hub.pipeline(name)).toMatchObject({ reason: null, restarts: 1 });
    expect(hub.recovered).toEqual([[name]]);
    expect(hub.starts(name)).toBe(2);
    expect(hub.starts('neighbour')).toBe(1);
    const text = await hub.metrics.text();
    expect(text).toContain(`sluice_worker_restarts_total{worker="worker-1",cause="${cause}"} 1`);
    expect(text).toContain(`sluice_pipeline_restarts_total{pipeline="${name}"} 1`);
    expect(hub.entries.filter(({ level }) => level === 'error')).toHaveLength(1);
    await hub.supervisor.stop({ drainMs: 2000 });
  },
);

test('pipelines of the same worker go down and come back together, one with isolation of its own does not', async () => {
  const alone = pipelinePlan('alone', { isolation: 'thread' });
  const hub = await createTestHub({ pipelines: ['throws', 'mate', alone], plan: { workers: 1 } });
  await hub.supervisor.start();
  await allRun(hub);
  hub.supervisor.resume('throws');
  await hub.until('restart', ({ workers }) => workers[0]!.restarts === 1);
  await allRun(hub);
  expect(hub.recovered.flat().sort()).toEqual(['mate', 'throws']);
  expect(hub.starts('mate')).toBe(2);
  expect(hub.starts('alone')).toBe(1);
  expect(hub.supervisor.status().workers.map(({ pipelines }) => pipelines)).toEqual([['throws', 'mate'], ['alone']]);
  await hub.supervisor.stop({ drainMs: 2000 });
});

test('a pipeline whose topic log is lost is recovered and started in the same worker', async () => {
  const hub = await createTestHub({ pipelines: ['loses', 'mate'], plan: { workers: 1 } });
  await hub.supervisor.start();
  await allRun(hub);
  hub.supervisor.resume('loses');
  await hub.until('loss', () => hub.pipeline('loses').state === 'backing_off');
  expect(hub.pipeline('loses').reason).toBe('the disk is gone');
  await hub.until('restart', () => hub.pipeline('loses').state === 'running');
  expect(hub.recovered).toEqual([['loses']]);
  expect(hub.starts('mate')).toBe(1);
  expect(hub.supervisor.status().workers[0]!.restarts).toBe(0);
  const { pipelines } = await hub.supervisor.stop({ drainMs: 2000 });
  // What was counted before the loss stays counted.
  expect(pipelines[0]).toMatchObject({ outcome: 'stopped', recordsIn: 14, delivered: 28 });
});

test('damage is final: the pipeline fails, the others go on, and an operator may resume it', async () => {
  const hub = await createTestHub({ pipelines: ['corrupt', 'mate'], plan: { workers: 1 } });
  await hub.supervisor.start();
  await hub.until('failure', () => hub.pipeline('corrupt').state === 'failed');
  expect(hub.pipeline('corrupt').reason).toBe('opening the log: damaged');
  await hub.until('start', () => hub.pipeline('mate').state === 'running');
  expect(hub.supervisor.resume('corrupt')).toBe(true);
  await hub.until('resume', () => hub.pipeline('corrupt').state === 'running');
  expect(hub.supervisor.resume('nobody')).toBe(false);
  await hub.supervisor.stop({ drainMs: 2000 });
});

test('a pipeline that cannot be started for now is tried again', async () => {
  const hub = await createTestHub({ pipelines: ['busy'] });
  await hub.supervisor.start();
  await hub.until('refusal', () => hub.pipeline('busy').state === 'backing_off');
  await hub.until('restart', () => hub.pipeline('busy').state === 'running');
  await hub.supervisor.stop({ drainMs: 2000 });
});

test('a topic log that waits degrades its pipeline, before the start and later, and says what it waits for', async () => {
  const hub = await createTestHub({ pipelines: ['waits', 'mate'], plan: { workers: 1 } });
  await hub.supervisor.start();
  await hub.until('wait', () => hub.pipeline('waits').state === 'degraded' && hub.pipeline('mate').state === 'running');
  const reason = 'broker 127.0.0.1:9 refuses connections';
  expect(hub.pipeline('waits')).toMatchObject({ reason, waitsFor: reason, restarts: 0 });
  expect(hub.pipeline('mate').waitsFor).toBeNull();
  writeFileSync(join(hub.dataDir, 'reachable'), '');
  await hub.until('end of the wait', () => hub.pipeline('waits').state === 'running');
  expect(hub.pipeline('waits')).toMatchObject({ reason: null, waitsFor: null });
  hub.supervisor.resume('waits');
  await hub.until('second wait', () => hub.pipeline('waits').reason === 'brokers are away');
  expect(hub.pipeline('waits').state).toBe('degraded');
  await hub.supervisor.stop({ drainMs: 2000 });
});

test('a pipeline that waits for its topic log at the start ends at once when the hub stops', async () => {
  const hub = await createTestHub({ pipelines: ['waits'] });
  await hub.supervisor.start();
  await hub.until('wait', () => hub.pipeline('waits').state === 'degraded');
  const startedAt = performance.now();
  const { pipelines } = await hub.supervisor.stop({ drainMs: 5000 });
  expect(performance.now() - startedAt).toBeLessThan(1500);
  expect(pipelines).toMatchObject([{ name: 'waits', outcome: 'stopped', reason: null, recordsIn: 0 }]);
  expect(hub.entries.filter(({ level }) => level === 'error')).toEqual([]);
});

test('with a Kafka cluster nothing is made in the data folder', async () => {
  const prepare = (): Promise<never> => Promise.reject(new Error('topics are in Kafka'));
  const hub = await createTestHub({ pipelines: ['a'], plan: { kafka: { brokers: ['127.0.0.1:9092'] } }, prepare });
  await hub.supervisor.start();
  await allRun(hub);
  const opened = hub.entries.find(({ message }) => message === 'pipeline opened');
  expect(opened?.fields.log).toBe('kafka');
  await hub.supervisor.stop({ drainMs: 2000 });
});

test('a folder that cannot be recovered after a loss fails its pipeline only', async () => {
  const recover = (name: string): void => {
    if (name === 'throws') throw new Error('reading the journal: EIO');
  };
  const hub = await createTestHub({ pipelines: ['throws', 'mate'], plan: { workers: 1 }, recover });
  await hub.supervisor.start();
  await allRun(hub);
  hub.supervisor.resume('throws');
  await hub.until('failure', () => hub.pipeline('throws').state === 'failed');
  await hub.until('restart', () => hub.pipeline('mate').state === 'running');
  expect(hub.pipeline('throws').reason).toBe('reading the journal: EIO');
  const { pipelines } = await hub.supervisor.stop({ drainMs: 2000 });
  expect(pipelines.map(({ outcome }) => outcome)).toEqual(['failed', 'stopped']);
});

test('a stop drains every pipeline, and what was printed arrives before the end', async () => {
  const hub = await createTestHub({ pipelines: ['prints', 'slow'], plan: { workers: 1 } });
  await hub.supervisor.start();
  await allRun(hub);
  const end = await hub.supervisor.stop({ drainMs: 2000 });
  expect(end.pipelines).toMatchObject([
    { name: 'prints', outcome: 'stopped', recordsIn: 7, delivered: 14, deadLettered: 1 },
    { name: 'slow', outcome: 'stopped' },
  ]);
  expect(end.elapsedMs).toBeGreaterThan(150);
  expect(hub.printed).toBe('printed by prints\n');
  expect(hub.supervisor.status()).toMatchObject({
    isDraining: true,
    pipelines: [{ state: 'stopped' }, { state: 'stopped' }],
  });
});

test('a pipeline that does not drain is ended at the deadline', async () => {
  const hub = await createTestHub({ pipelines: ['stubborn', 'fine'] });
  await hub.supervisor.start();
  await allRun(hub);
  const startedAt = performance.now();
  const { pipelines } = await hub.supervisor.stop({ drainMs: 100 });
  expect(performance.now() - startedAt).toBeLessThan(4000);
  expect(pipelines.map(({ outcome }) => outcome)).toEqual(['lost', 'stopped']);
});

test('force ends at once what drains', async () => {
  const hub = await createTestHub({ pipelines: ['stubborn'] });
  await hub.supervisor.start();
  await allRun(hub);
  const end = hub.supervisor.stop({ drainMs: 60_000 });
  hub.supervisor.force();
  expect((await end).pipelines).toMatchObject([{ outcome: 'lost', reason: 'ended by force' }]);
});

test('a stop while a lost worker waits for its restart ends the wait', async () => {
  const hub = await createTestHub({ pipelines: ['throws'] });
  await hub.supervisor.start();
  await allRun(hub);
  hub.supervisor.resume('throws');
  await hub.until('loss', () => hub.pipeline('throws').state === 'backing_off');
  const startedAt = performance.now();
  await hub.supervisor.stop({ drainMs: 5000 });
  expect(performance.now() - startedAt).toBeLessThan(200);
  expect(hub.pipeline('throws').state).toBe('stopped');
});

test('once: the hub ends when all its pipelines did', async () => {
  const hub = await createTestHub({ pipelines: ['a', 'loses', 'corrupt'], once: true, plan: { workers: 1 } });
  await hub.supervisor.start();
  const { pipelines } = await hub.supervisor.finished;
  expect(pipelines.map(({ name, outcome }) => [name, outcome])).toEqual([
    ['a', 'drained'],
    ['loses', 'failed'],
    ['corrupt', 'failed'],
  ]);
});

test('a data folder that cannot be used leaves no worker behind', async () => {
  const refused = new Error('preparing the data folder: EACCES');
  const hub = await createTestHub({ pipelines: ['a', 'b'], prepare: () => Promise.reject(refused) });
  await expect(hub.supervisor.start()).rejects.toBe(refused);
});

test('a worker tells its memory, and its pipelines share its buffers', async () => {
  const hub = await createTestHub({
    pipelines: ['a', 'b', 'c'],
    plan: { workers: 1, bufferBytes: 999, watchdogMs: 2000 },
  });
  await hub.supervisor.start();
  await allRun(hub);
  const opened = hub.entries.filter(({ message }) => message === 'pipeline opened');
  expect(opened.map(({ fields }) => fields.bufferBytes)).toEqual([333, 333, 333]);
  expect(hub.supervisor.status().workers[0]!.memoryBytes).toBeGreaterThan(1e6);
  await hub.supervisor.stop({ drainMs: 2000 });
});
