import { parquetMetadata } from 'hyparquet';
import { Client } from '@elastic/elasticsearch';
import { EventTime, FluentClient } from '@fluent-org/logger';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { CloudEvent, HTTP } from 'cloudevents';
import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { parse } from 'yaml';
import { loadHub } from '../src/config/index.ts';
import { createRegistry } from '../src/registry/index.ts';
import { publishedFiles } from '../src/testing/index.ts';
import { cleanUp, HubFolder, type HubProcess } from './cli/support/hub-folder.ts';

const examples = join(import.meta.dirname, '..', 'pipelines');
/** What examples ask for. */
const secrets = {
  SLUICE_GITHUB_SECRET: 'of-github',
  SLUICE_STRIPE_SECRET: 'whsec_stripe',
  SLUICE_EVENTS_TOKEN: 'token',
};

jest.setTimeout(60_000);
afterEach(cleanUp);

test('the examples validate, each alone and all together', async () => {
  const names = (await readdir(examples)).filter((name) => name.endsWith('.yaml'));
  const kafka = "kafka: { brokers: ['127.0.0.1:9092'] }\n";
  const folder = await HubFolder.create({}, kafka);
  const kafkaHub = join(folder.path, 'sluice.yaml');
  // Every leg has its share of the record buffers, and who runs that many gives them more.
  await folder.write('roomy.yaml', `${kafka}buffer_size: 1GiB\n`);
  const load = async (pipelines: readonly string[], file?: string): Promise<readonly string[]> => {
    const hub = { pipelines, cwd: examples, env: secrets, registry: createRegistry() };
    const { problems } = await loadHub({ ...hub, ...(file === undefined ? {} : { file }) });
    return problems.map(({ file, line, code, message }) => `${file}:${line} ${code} ${message}`);
  };
  for (const name of names) {
    // It reads a topic that another example writes.
    const files = name === 'errors.yaml' ? [name, 'quickstart.yaml'] : [name];
    // Its jobs read the topic by themselves.
    expect(await load(files, ['spark.yaml', 'spark-streaming.yaml'].includes(name) ? kafkaHub : undefined)).toEqual([]);
  }
  expect(await load(names, join(folder.path, 'roomy.yaml'))).toEqual([]);
});

test('every example names the schema for editors, and says what it shows', async () => {
  for (const name of (await readdir(examples)).filter((each) => each.endsWith('.yaml'))) {
    const [first, second] = (await readFile(join(examples, name), 'utf8')).split('\n');
    expect({ name, first }).toEqual({
      name,
      first: '# yaml-language-server: $schema=../docs/pipeline.schema.json',
    });
    expect(second).toMatch(/^# /);
  }
});

test('quickstart: each sample record once in the files, however often it is started', async () => {
  const folder = await withExamples();
  for (const round of [0, 1]) {
    const hub = folder.run('--once', 'pipelines/quickstart.yaml');
    expect({ round, code: await hub.exit(), stderr: hub.stderr }).toMatchObject({ code: 0 });
  }
  const sample = (await readFile(join(examples, 'data', 'access.log'), 'utf8')).trimEnd().split('\n');
  expect(await folder.published('out')).toEqual(sample.sort());
});

test('errors: reads what the quickstart wrote', async () => {
  const folder = await withExamples();
  expect(await folder.run('--once', 'pipelines/quickstart.yaml').exit()).toBe(0);
  const hub = folder.run('--once', 'pipelines/quickstart.yaml', 'pipelines/errors.yaml');
  expect(await hub.exit()).toBe(0);
  const printed = hub.stdout.trimEnd().split('\n');
  const sample = (await readFile(join(examples, 'data', 'access.log'), 'utf8')).split('\n');
  expect(printed).toHaveLength(sample.filter((line) => /" (500|404) /.test(line)).length);
  expect(JSON.parse(printed[0]!)).toMatchObject({
    topic: 'quickstart',
    value: expect.stringMatching(/" (500|404) /) as string,
  });
});

test('traces: each error is printed with its stack trace and its service', async () => {
  const folder = await withExamples();
  const hub = folder.run('--once', 'pipelines/traces.yaml');
  expect({ code: await hub.exit(), stderr: hub.stderr }).toMatchObject({ code: 0 });
  const printed = hub.stdout.trimEnd().split('\n');
  const records = printed.map((line) => JSON.parse(line) as { value: string; headers: [string, string][] });
  const logs = await Promise.all(
    ['billing', 'shop'].map((service) => readFile(join(examples, 'data/traces', service, 'app.log'), 'utf8')),
  );
  const events = logs.flatMap((log) => log.trimEnd().split(/\n(?=2026)/)).filter((event) => event.includes(' ERROR '));
  expect(records.map(({ value }) => value).sort()).toEqual(events.sort());
  expect(records.map(({ headers }) => Object.fromEntries(headers)).map(({ service }) => service)).toEqual([
    'billing',
    'shop',
  ]);
});

test('spool: files that were moved in are read once and put aside', async () => {
  const folder = await withExamples();
  const orders = await readFile(join(examples, 'data', 'orders.ndjson'));
  const inbox = join(folder.path, 'examples-out', 'inbox');
  await mkdir(inbox, { recursive: true });
  await writeFile(join(inbox, 'orders.ndjson'), orders);
  await writeFile(join(inbox, 'more.ndjson.gz'), gzipSync('{"order":"last"}\n'));
  for (const round of [0, 1]) {
    const hub = folder.run('--once', 'pipelines/spool.yaml');
    expect({ round, code: await hub.exit(), stderr: hub.stderr }).toMatchObject({ code: 0 });
  }
  const expected = [...orders.toString().trimEnd().split('\n'), '{"order":"last"}'];
  expect(await folder.published('examples-out/orders-by-file')).toEqual(expected.sort());
  expect(await readdir(inbox)).toEqual([]);
  expect((await readdir(join(folder.path, 'examples-out/read'))).sort()).toEqual(['more.ndjson.gz', 'orders.ndjson']);
});

test('generate: all records, by level', async () => {
  const folder = await withExamples();
  const hub = folder.run('--once', 'pipelines/generate.yaml');
  expect({ code: await hub.exit(), stderr: hub.stderr }).toMatchObject({ code: 0 });
  const numbers = (await folder.published('examples-out/generate')).map(
    (line) => (JSON.parse(line) as { n: number }).n,
  );
  expect(numbers.sort((one, other) => one - other)).toEqual(Array.from({ length: 10_000 }, (_, n) => n));
  for (const line of await folder.published('examples-out/generate/WARN')) expect(line).toContain('"level":"WARN"');
});

test('lake: all records in files of Parquet, by level and day', async () => {
  const folder = await withExamples();
  const hub = folder.run('--once', 'pipelines/lake.yaml');
  expect({ code: await hub.exit(), stderr: hub.stderr }).toMatchObject({ code: 0 });
  const files = await publishedFiles(join(folder.path, 'examples-out/lake'));
  let rows = 0;
  for (const path of files) {
    expect(path).toMatch(/\/level=[A-Z]+\/day=2026-01-01\/[^/]+\.parquet$/);
    const file = Uint8Array.from(await readFile(path)).buffer;
    rows += Number(parquetMetadata(file).num_rows);
  }
  expect(rows).toBe(10_000);
});

test('dead letters: two of five, with their causes', async () => {
  const folder = await withExamples();
  const hub = folder.run('--once', 'pipelines/dead-letters.yaml');
  expect({ code: await hub.exit(), stderr: hub.stderr }).toMatchObject({ code: 3 });
  expect(await folder.published('examples-out/orders')).toHaveLength(3);
  const shown = folder.sluice('dlq', 'show', 'orders');
  expect(await shown.exit()).toBe(0);
  expect(shown.stdout).toMatch(/DECODE_INVALID[\s\S]*"alan"/);
  expect(shown.stdout).toMatch(/TEMPLATE_ESCAPED[\s\S]*\.\.\/\.\.\/etc/);
});

test('devices: what is posted lies in files by device and day', async () => {
  const folder = await withExamples();
  const text = (await readFile(join(examples, 'devices.yaml'), 'utf8')).replaceAll(
    '127.0.0.1:8081',
    `127.0.0.1:${folder.httpPort}`,
  );
  await folder.write('pipelines/devices.yaml', text);
  const hub = folder.run('pipelines/devices.yaml');
  const [, body] = /curl -d '(.*)' http/.exec(text)!;
  const { path } = (parse(text) as { sources: [{ http: { path: string } }] }).sources[0].http;
  await hub.until('it takes the post', async () => {
    const url = `http://127.0.0.1:${folder.httpPort}${path}`;
    // What curl says of its body.
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    return (await fetch(url, { method: 'POST', body: body!, headers }).catch(() => null))?.status === 200;
  });
  await hub.until('both are published', async () => (await folder.published('examples-out/devices')).length === 2);
  expect(await folder.published('examples-out/devices/boiler')).toEqual(['{"device":"boiler","celsius":71.5}']);
  await hub.until('the warning is printed', () => hub.stdout.includes('boiler'));
  expect(hub.stdout).not.toContain('attic');
  expect(await hub.end('SIGTERM')).toBe(0);
});

test('webhooks: what is signed lies in files, a failed payment is printed, and nobody else is served', async () => {
  const folder = await withExamples();
  const text = await readFile(join(examples, 'webhooks.yaml'), 'utf8');
  await folder.write('pipelines/webhooks.yaml', text.replaceAll('127.0.0.1:8082', `127.0.0.1:${folder.httpPort}`));
  Object.assign(folder.env, secrets);
  const hub = folder.run('pipelines/webhooks.yaml');
  await hub.until('it is ready', async () => (await folder.api('/ready').catch(() => null))?.status === 200);
  const post = async (path: string, body: string, headers: Record<string, string>): Promise<number> =>
    (await fetch(`http://127.0.0.1:${folder.httpPort}${path}`, { method: 'POST', body, headers })).status;
  const hmac = (secret: string, signed: string): string => createHmac('sha256', secret).update(signed).digest('hex');
  const push = '{"ref":"refs/heads/main"}';
  const github = {
    'x-hub-signature-256': `sha256=${hmac(secrets.SLUICE_GITHUB_SECRET, push)}`,
    'x-github-event': 'push',
  };
  expect(await post('/github', push, github)).toBe(200);
  expect(await post('/github', `${push} `, github)).toBe(401);
  const failed = '{"id":"evt_1","type":"payment_intent.payment_failed"}';
  const time = Math.floor(Date.now() / 1000);
  const stripe = { 'stripe-signature': `t=${time},v1=${hmac(secrets.SLUICE_STRIPE_SECRET, `${time}.${failed}`)}` };
  expect(await post('/stripe', failed, stripe)).toBe(200);
  expect(await post('/stripe', failed, github)).toBe(401);
  expect(await post('/events/shop', '{"n":1}', { authorization: 'Bearer token' })).toBe(200);
  expect(await post('/events/shop', '{"n":1}', {})).toBe(401);
  expect(await post('/', '{"n":1}', {})).toBe(404);
  await hub.until('all are published', async () => (await folder.published('examples-out/webhooks')).length === 3);
  expect((await folder.published('examples-out/webhooks')).sort()).toEqual([failed, '{"n":1}', push].sort());
  await hub.until('the failed payment is printed', () => hub.stdout.includes('payment_failed'));
  expect(hub.stdout).not.toContain('refs/heads/main');
  expect(await hub.end('SIGTERM')).toBe(0);
});

test('forwarded: what a fluent logger sends lies in files, with its tag and time', async () => {
  const folder = await withExamples();
  const text = await readFile(join(examples, 'forwarded.yaml'), 'utf8');
  await folder.write('pipelines/forwarded.yaml', text.replaceAll('127.0.0.1:24224', `127.0.0.1:${folder.httpPort}`));
  const hub = folder.run('pipelines/forwarded.yaml');
  await hub.until('it is ready', async () => (await folder.api('/ready').catch(() => null))?.status === 200);
  const socket = { host: '127.0.0.1', port: folder.httpPort };
  const logger = new FluentClient('app', { socket, ack: { ackTimeout: 5000 } });
  await logger.emit('web', { n: 1 }, new EventTime(1_700_000_000, 5));
  await logger.disconnect();
  await hub.until('it is published', async () => (await folder.published('out-forwarded')).length === 1);
  expect(await folder.published('out-forwarded')).toEqual([
    '{"tag":"app.web","time":"2023-11-14T22:13:20.000000005Z","n":1}',
  ]);
  expect(await hub.end('SIGTERM')).toBe(0);
});

test('cloudevents: what the SDK sends is printed, with its attributes as headers', async () => {
  const { hub, port } = await listening('cloudevents', '127.0.0.1:8083');
  const event = new CloudEvent({ id: '1', source: '/shop', type: 'order', partitionkey: 'k', data: { n: 1 } });
  const { headers, body } = HTTP.binary(event);
  const options = { method: 'POST', headers: headers as Record<string, string>, body: body as string };
  expect((await fetch(`http://127.0.0.1:${port}/events`, options)).status).toBe(200);
  await hub.until('it is printed', () => hub.stdout.includes('["ce_type","order"]'));
  expect(hub.stdout).toContain('"key":"k"');
  expect(await hub.end('SIGTERM')).toBe(0);
});

test("opentelemetry: what the SDK's exporter sends lies in files", async () => {
  const { hub, port, folder } = await listening('opentelemetry', '127.0.0.1:4318');
  const exporter = new OTLPLogExporter({ url: `http://127.0.0.1:${port}/v1/logs` });
  const provider = new LoggerProvider({ processors: [new BatchLogRecordProcessor({ exporter })] });
  provider.getLogger('example').emit({ body: 'hello', attributes: { n: 1 } });
  await provider.shutdown();
  await hub.until('it is published', async () => (await folder.published('out-opentelemetry')).length === 1);
  const [line] = await folder.published('out-opentelemetry');
  expect(JSON.parse(line!)).toMatchObject({ body: 'hello', attributes: { n: 1 }, scope: { name: 'example' } });
  expect(await hub.end('SIGTERM')).toBe(0);
});

test("beats: what Elasticsearch's client writes lies in a folder for each index", async () => {
  const { hub, port, folder } = await listening('beats', '127.0.0.1:9201');
  const client = new Client({ node: `http://127.0.0.1:${port}` });
  const documents = [{ n: 1 }, { n: 2 }];
  const stats = await client.helpers.bulk({
    datasource: documents,
    onDocument: ({ n }) => ({ create: { _index: `logs-${n}` } }),
  });
  await client.close();
  expect(stats).toMatchObject({ successful: 2, failed: 0 });
  for (const { n } of documents) {
    const published = (): Promise<string[]> => folder.published(`out-beats/logs-${n}`);
    await hub.until('it is published', async () => (await published()).length === 1);
    expect(await published()).toEqual([`{"n":${n}}`]);
  }
  expect(await hub.end('SIGTERM')).toBe(0);
});

test('syslog: what logger sends as an error is printed, the rest is not', async () => {
  const folder = await withExamples();
  const text = await readFile(join(examples, 'syslog.yaml'), 'utf8');
  await folder.write('pipelines/syslog.yaml', text.replaceAll('127.0.0.1:5514', `127.0.0.1:${folder.httpPort}`));
  const hub = folder.run('pipelines/syslog.yaml');
  await hub.until('it is ready', async () => (await folder.api('/ready').catch(() => null))?.status === 200);
  const to = ['-n', '127.0.0.1', '-P', String(folder.httpPort), '-T'];
  await promisify(execFile)('logger', [...to, '-p', 'user.info', 'all is well']);
  await promisify(execFile)('logger', [...to, '-p', 'user.err', 'all is lost']);
  await hub.until('the error is printed', () => hub.stdout.includes('all is lost'));
  expect(hub.stdout).not.toContain('all is well');
  expect(await hub.end('SIGTERM')).toBe(0);
});

test('local syslog: what programs write to the socket is printed; the socket goes with the hub', async () => {
  const folder = await withExamples();
  const hub = folder.run('pipelines/local-syslog.yaml');
  const path = join(folder.path, 'pipelines', 'local-syslog.sock');
  await hub.until('it is ready', async () => (await folder.api('/ready').catch(() => null))?.status === 200);
  await promisify(execFile)('logger', ['-u', path, '--socket-errors=on', '-t', 'backup', 'done']);
  await hub.until('it is printed', () => hub.stdout.includes('"app_name":"backup","message":"done"'));
  expect(await hub.end('SIGTERM')).toBe(0);
  expect(existsSync(path)).toBe(false);
});

test('lines: what is written to the port is acknowledged and lies in files', async () => {
  const folder = await withExamples();
  const text = await readFile(join(examples, 'lines.yaml'), 'utf8');
  await folder.write('pipelines/lines.yaml', text.replaceAll('127.0.0.1:5170', `127.0.0.1:${folder.httpPort}`));
  const hub = folder.run('pipelines/lines.yaml');
  await hub.until('it is ready', async () => (await folder.api('/ready').catch(() => null))?.status === 200);
  const socket = connect(folder.httpPort, '127.0.0.1');
  socket.write('{"n":1}\nno json\n{"n":2}\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString()).toBe('ack 3\n');
  socket.end();
  await hub.until('both are published', async () => (await folder.published('out-lines')).length === 2);
  expect(await folder.published('out-lines')).toEqual(['{"n":1}', '{"n":2}']);
  expect(await hub.end('SIGTERM')).toBe(0);
});

/** A ready hub with one example, whose listener has a port of its own. */
async function listening(name: string, address: string): Promise<{ folder: HubFolder; hub: HubProcess; port: number }> {
  const folder = await withExamples();
  const file = `pipelines/${name}.yaml`;
  const text = await readFile(join(examples, `${name}.yaml`), 'utf8');
  await folder.write(file, text.replaceAll(address, `127.0.0.1:${folder.httpPort}`));
  const hub = folder.run(file);
  await hub.until('it is ready', async () => (await folder.api('/ready').catch(() => null))?.status === 200);
  return { folder, hub, port: folder.httpPort };
}

async function withExamples(): Promise<HubFolder> {
  const folder = await HubFolder.create({});
  await cp(examples, join(folder.path, 'pipelines'), { recursive: true });
  return folder;
}
