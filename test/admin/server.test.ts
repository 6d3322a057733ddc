import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadToken, startAdmin, type AdminServer } from '../../src/admin/index.ts';
import type { HubStatus, SupervisedPipeline, SupervisedState } from '../../src/supervisor/index.ts';
import { createEntryLogger, METRIC, MetricsRegistry, realClock } from '../../src/telemetry/index.ts';

let server: AdminServer;
let state: SupervisedState = 'running';
let isDraining = false;
let waitsFor: string | null = null;
const metrics = new MetricsRegistry();

function pipeline(): SupervisedPipeline {
  const totals = { recordsIn: 1, delivered: 2, dropped: 0, deadLettered: 0 };
  const lists = { sources: [], sinks: [] };
  return {
    name: 'p',
    state,
    reason: 'because',
    since: 0,
    waitsFor,
    restarts: 0,
    worker: 'worker-1',
    topic: 't',
    totals,
    deadLetters: 0,
    ...lists,
  };
}

function start(token: string | null): Promise<AdminServer> {
  const workers = [{ name: 'worker-1', pipelines: ['p'], memoryBytes: 1234, restarts: 0 }];
  return startAdmin({
    address: { host: '127.0.0.1', port: 0 },
    token,
    version: '1.2.3',
    status: (): HubStatus => ({ hubId: 'hub-1', since: 0, isDraining, pipelines: [pipeline()], workers }),
    metrics,
    clock: realClock,
    log: createEntryLogger({ level: 'error', clock: realClock, write: () => undefined }),
  });
}

interface Reply {
  readonly status: number;
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
}

function ask(
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', headers = {} } = options;
    const sent = request(
      { host: '127.0.0.1', port: server.address.port, path, method, headers, agent: false },
      (response) => {
        let body = '';
        response.on('data', (data: Buffer) => (body += data.toString()));
        response.on('end', () => {
          resolve({ status: response.statusCode!, body, headers: response.headers });
        });
      },
    );
    sent.on('error', reject);
    sent.end(options.body);
  });
}

afterEach(async () => {
  await server.close();
  state = 'running';
  isDraining = false;
  waitsFor = null;
});

describe('on loopback', () => {
  beforeEach(async () => {
    server = await start(null);
  });

  test('status tells everything about every pipeline', async () => {
    const { status, body, headers } = await ask('/status?pretty');
    expect([status, headers['content-type'], headers['cache-control']]).toEqual([200, 'application/json', 'no-store']);
    expect(JSON.parse(body)).toMatchObject({
      version: '1.2.3',
      hubId: 'hub-1',
      pipelines: [{ name: 'p', totals: { delivered: 2 } }],
    });
  });

  test.each([
    ['starting', 503],
    ['running', 200],
    ['degraded', 200],
    ['paused', 200],
    ['backing_off', 503],
    ['failed', 503],
  ] as const)('with a pipeline that is %s /ready answers %i', async (next, expected) => {
    state = next;
    const { status, body } = await ask('/ready');
    expect(status).toBe(expected);
    expect(JSON.parse(body)).toEqual({
      ready: expected === 200,
      waiting: expected === 200 ? [] : [{ pipeline: 'p', state: next, reason: 'because' }],
    });
    expect((await ask('/health')).status).toBe(200);
  });

  test('a pipeline whose topics cannot be reached is at work, but not ready', async () => {
    state = 'degraded';
    waitsFor = 'because';
    const { status, body } = await ask('/ready');
    expect(status).toBe(503);
    expect(JSON.parse(body)).toEqual({
      ready: false,
      waiting: [{ pipeline: 'p', state: 'degraded', reason: 'because' }],
    });
  });

  test('a hub that drains is neither ready nor healthy', async () => {
    isDraining = true;
    expect([(await ask('/ready')).status, (await ask('/health')).status]).toEqual([503, 503]);
  });

  test('metrics come in the format of Prometheus, the process among them', async () => {
    const { body, headers } = await ask('/metrics');
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(body).toContain(`# TYPE ${METRIC.pipelineState.name} gauge\n`);
    expect(body).toContain('sluice_pipeline_state{pipeline="p",state="running"} 1\n');
    expect(body).toContain('sluice_pipeline_state{pipeline="p",state="failed"} 0\n');
    expect(body).toContain('sluice_worker_memory_bytes{worker="worker-1"} 1234\n');
    for (const line of body.trimEnd().split('\n'))
      expect(line).toMatch(/^(# (HELP|TYPE) |[a-z_]+(\{[^}]*\})? [0-9.e+-]+$)/);
    const cpu = (text: string): number => Number(/^process_cpu_seconds_total (.*)$/m.exec(text)![1]);
    const again = (await ask('/metrics')).body;
    expect(cpu(again)).toBeGreaterThanOrEqual(cpu(body));
    expect(cpu(again)).toBeLessThan(2 * process.cpuUsage().user);
  });

  test('it is for reading: other methods, paths and bodies are refused, and the next client is served', async () => {
    expect((await ask('/status', { method: 'POST', body: 'x'.repeat(100_000) })).status).toBe(405);
    expect((await ask('/stat')).status).toBe(404);
    expect(await ask('/status', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
    expect((await ask('/')).body).toContain('/metrics');
  });

  test('a page under a foreign name, or of another site, reads nothing', async () => {
    expect((await ask('/status', { headers: { Host: 'evil.example' } })).status).toBe(421);
    expect((await ask('/status', { headers: { Host: '127.0.0.1.evil.example:8686' } })).status).toBe(421);
    expect((await ask('/status', { headers: { Origin: 'https://evil.example' } })).status).toBe(403);
    expect((await ask('/status', { headers: { Origin: 'null' } })).status).toBe(403);
    for (const host of ['localhost:8686', '127.0.0.1', '[::1]:8686'])
      expect((await ask('/status', { headers: { Host: host } })).status).toBe(200);
  });

  test('a client that holds its connection does not hold up the end', async () => {
    const socket = connect(server.address.port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.write('GET /status HTTP/1.1\r\nHost: localhost\r\n');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined);
    await server.close();
    await closed;
  });
});

describe('bound elsewhere', () => {
  const token = 'a-token-of-the-data-folder';

  beforeEach(async () => {
    server = await start(token);
  });

  test('only the token opens it', async () => {
    const denied = await ask('/status');
    expect(denied.status).toBe(401);
    expect(denied.headers['www-authenticate']).toContain('Bearer');
    expect(denied.body).not.toContain(token);
    const headers = { Authorization: `Bearer ${token}`, Host: 'hub.example:8686' };
    expect((await ask('/status', { headers })).status).toBe(200);
  });

  test('who guesses is slowed down', async () => {
    const guess = (text: string): Promise<Reply> => ask('/status', { headers: { Authorization: `Bearer ${text}` } });
    const statuses: number[] = [];
    for (let n = 0; n < 12; n++) statuses.push((await guess(`guess-${n}`)).status);
    expect(statuses).toEqual([...Array<number>(10).fill(401), 429, 429]);
    const { status, headers } = await guess(token);
    expect(status).toBe(429);
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
  });
});

test('the token is made once, for its owner only, and one that is too short is refused', async () => {
  server = await start(null);
  const folder = await mkdtemp(join(tmpdir(), 'sluice-token-'));
  const made = await loadToken(folder);
  expect(made).toMatch(/^[\w-]{43}$/);
  expect(await loadToken(folder)).toBe(made);
  const file = join(folder, 'api.token');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await readFile(file, 'utf8')).trim()).toBe(made);
  await writeFile(file, 'short\n');
  await expect(loadToken(folder)).rejects.toThrow(/at least 16 characters/);
  await rm(folder, { recursive: true });
});
