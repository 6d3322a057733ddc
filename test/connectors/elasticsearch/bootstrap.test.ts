import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Json, WriteResult } from '../../../src/api/index.ts';
import { allWritten, FakeServer } from './support/fake-server.ts';
import { sinkHarness, type System } from './support/sink.ts';

let folder: string;
let server: FakeServer;
/** What the server has, by path. */
const there = new Map<string, string>();

beforeEach(async () => {
  there.clear();
  folder = await mkdtemp(join(tmpdir(), 'sluice-bootstrap-'));
  server = await FakeServer.start((request, response) => {
    const { pathname } = new URL(request.url, 'http://x');
    if (pathname.endsWith('/_bulk')) allWritten(request, response);
    else if (request.method === 'PUT') {
      there.set(pathname, request.body);
      response.end('{"acknowledged":true}');
    } else {
      response.statusCode = there.has(pathname) ? 200 : 404;
      response.end(there.get(pathname) ?? '{}');
    }
  });
});

afterEach(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

async function write(system: System, more: Record<string, Json> = {}): Promise<WriteResult> {
  const kinds = ['lifecycle_policies', 'ingest_pipelines', 'component_templates', 'index_templates'];
  const bootstrap: Record<string, Json> = { ...more };
  for (const kind of kinds) {
    const file = join(folder, `${kind}.json`);
    await writeFile(file, JSON.stringify({ kind }));
    bootstrap[kind] = { 'a%b': file };
  }
  const harness = sinkHarness({ endpoints: [server.url], bootstrap }, { system });
  harness.append(0, ['{}']);
  await harness.start();
  try {
    return (await harness.write())!;
  } finally {
    await harness.stop();
  }
}

const asked = (): string[] => server.requests.map(({ method, url }) => `${method} ${url.split('?')[0]!}`);

test.each<[System, string]>([
  ['elasticsearch', '/_ilm/policy/a%25b'],
  ['opensearch', '/_plugins/_ism/policies/a%25b'],
])('%s: each under the name that the system has for it, what needs another after it, once', async (system, policy) => {
  expect(await write(system)).toEqual({ failures: [] });
  const paths = [policy, '/_ingest/pipeline/a%25b', '/_component_template/a%25b', '/_index_template/a%25b'];
  expect(asked()).toEqual([...paths.flatMap((path) => [`GET ${path}`, `PUT ${path}`]), 'POST /test/_bulk']);
  expect([...there.values()].map((body) => (JSON.parse(body) as { kind: string }).kind)).toEqual([
    'lifecycle_policies',
    'ingest_pipelines',
    'component_templates',
    'index_templates',
  ]);
  server.requests.length = 0;
  expect(await write(system)).toEqual({ failures: [] });
  expect(asked()).toEqual([...paths.map((path) => `GET ${path}`), 'POST /test/_bulk']);
});

test('a policy of OpenSearch that is there stays, for it is replaced by its sequence number only', async () => {
  await write('opensearch');
  server.requests.length = 0;
  await write('opensearch', { replace: true });
  expect(asked().filter((request) => request.startsWith('PUT'))).toEqual([
    'PUT /_ingest/pipeline/a%25b',
    'PUT /_component_template/a%25b',
    'PUT /_index_template/a%25b',
  ]);
});

test.each(['GET', 'PUT'])(
  '400 to %s: the records wait for an operator, and none becomes a dead letter',
  async (method) => {
    server.answer = (request, response) => {
      response.statusCode = request.method === method ? 400 : 404;
      response.end('{"error":"no handler found for uri [/_ilm/policy/a]","status":400}');
    };
    expect(await write('elasticsearch')).toMatchObject({
      batch: {
        disposition: 'block',
        error: {
          code: 'SINK_BLOCKED',
          message: expect.stringMatching(
            /^making the lifecycle policy "a%b": HTTP 400 .*this cluster knows none/,
          ) as string,
        },
      },
    });
  },
);
