import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JobSink } from '../../../src/api/index.ts';
import { batch, sinkWith } from './support/sink.ts';

interface Session {
  readonly id: number;
  readonly name: string;
  state: string;
}

/** Livy 0.7.1: names are unique while it knows them, and a name stands for an id. */
class LivyDouble {
  sessions: Session[] = [];
  log: string[] = [];
  posted: Record<string, unknown>[] = [];
  losesReply = false;
  next = 0;
  readonly headers: (string | string[] | undefined)[] = [];
  readonly #server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      this.headers.push(request.headers['x-requested-by']);
      const [status, body] = this.#answer(request.method!, request.url!, Buffer.concat(chunks).toString());
      if (this.losesReply && request.method === 'POST') {
        this.losesReply = false;
        response.destroy();
      } else response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(method: string, url: string, body: string): [number, object] {
    const [, which = '', tail = ''] = /^\/batches(?:\/([^/?]+))?(\/log)?/.exec(url) ?? [];
    const session = this.sessions.find(({ id, name }) => String(id) === which || name === which);
    if (method === 'POST') {
      const posted = JSON.parse(body) as { name: string };
      this.posted.push(posted);
      const holder = this.sessions.find(({ name }) => name === posted.name);
      if (holder !== undefined)
        return [400, { msg: `Duplicate session name: Some(${posted.name}) for session ${holder.id}` }];
      const created = { id: this.next++, name: posted.name, state: 'starting' };
      this.sessions.push(created);
      return [201, created];
    }
    if (session === undefined) return [404, { msg: `Session '${which}' not found.` }];
    if (method === 'DELETE') {
      this.sessions = this.sessions.filter((one) => one !== session);
      return [200, { msg: 'deleted' }];
    }
    return [200, tail === '/log' ? { id: session.id, log: this.log } : session];
  }
}

let livy: LivyDouble;
let spark: JobSink;

// Loading it takes its time on a busy machine, and is no part of a test.
beforeAll(() => import('undici'), 60_000);
beforeEach(async () => {
  livy = new LivyDouble();
  const url = await livy.start();
  spark = await sinkWith({
    livy: { url, queue: 'nightly' },
    application: { url: 'hdfs://nn/range.py', arguments: ['--brokers', 'k:9092'] },
    properties: { 'spark.cores.max': 2 },
  });
});
afterEach(async () => {
  await spark.close();
  await livy.stop();
});

test('a batch has the name of ours, and its ranges as arguments', async () => {
  expect(await spark.submit(batch)).toEqual({ batch: 0 });
  expect(livy.posted[0]).toMatchObject({
    file: 'hdfs://nn/range.py',
    name: batch.id,
    queue: 'nightly',
    conf: { 'spark.cores.max': '2' },
  });
  expect((livy.posted[0]!.args as string[]).slice(0, 4)).toEqual(['--brokers', 'k:9092', '--batch-id', batch.id]);
  expect(livy.headers).toEqual(['sluice']);
});

test('an answer that is lost leaves a batch that is found by its name: never two', async () => {
  livy.losesReply = true;
  await expect(spark.submit(batch)).rejects.toMatchObject({ retryable: true });
  expect(await spark.submit(batch)).toEqual({ batch: 0 });
  expect(livy.sessions).toHaveLength(1);
  expect(await spark.find(batch)).toEqual({ batch: 0 });
});

test('one that failed makes room for the next', async () => {
  await spark.submit(batch);
  livy.sessions[0]!.state = 'dead';
  expect(await spark.find(batch)).toBeNull();
  expect(await spark.submit(batch)).toEqual({ batch: 1 });
});

test.each([
  ['starting', { state: 'queued', reason: null }],
  ['recovering', { state: 'queued', reason: null }],
  ['running', { state: 'running' }],
  ['success', { state: 'succeeded' }],
])('a batch that is %s', async (state, expected) => {
  const handle = await spark.submit(batch);
  livy.sessions[0]!.state = state;
  expect(await spark.look(handle, batch)).toEqual(expected);
});

test('a batch that is dead says why', async () => {
  const handle = await spark.submit(batch);
  livy.sessions[0]!.state = 'dead';
  livy.log = ['stdout: ', 'Traceback (most recent call last):', '  File "x"', 'ValueError: boom', 'stderr: '];
  expect(await spark.look(handle, batch)).toMatchObject({
    state: 'failed',
    error: { code: 'JOB_FAILED', message: 'running batch 0 of Livy: ValueError: boom' },
  });
});

test('after a restart its ids are those of others', async () => {
  const handle = await spark.submit(batch);
  livy.sessions = [{ id: 0, name: 'somebody-else', state: 'success' }];
  expect(await spark.look(handle, batch)).toEqual({ state: 'unknown' });
  livy.sessions = [];
  expect(await spark.look(handle, batch)).toEqual({ state: 'unknown' });
  await spark.end(handle, batch);
});
