import { mkdir, symlink } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { folderOf, planOf, removeFolders } from './support/hub.ts';

afterEach(removeFolders);

const pipeline = (name: string): string => `name: ${name}\ntopic: ${name}\nsources: [{ generate: {} }]\n`;

test('without a hub file defaults hold', async () => {
  const folder = await folderOf({ 'pipelines/a.yaml': pipeline('a') });
  const { plan } = await folder.load();
  expect({ ...plan, pipelines: plan!.pipelines.map(({ name }) => name) }).toEqual({
    file: null,
    kafka: null,
    dataDir: join(folder.path, '.sluice'),
    group: 'default',
    host: null,
    api: { host: '127.0.0.1', port: 8686 },
    workers: availableParallelism(),
    bufferBytes: 48 * 1024 * 1024,
    listenerBytes: 256 * 1024 * 1024,
    workerMemoryBytes: 512 * 1024 * 1024,
    watchdogMs: 10_000,
    drainMs: 30_000,
    references: { env: ['SLUICE_*'], file: ['/run/secrets'] },
    outbound: { deny: expect.arrayContaining(['169.254.0.0/16']) as string[], allow: [] },
    pipelines: ['a'],
  });
});

test('a hub file says all of it, relative to where it lies', async () => {
  const hub = `
kafka: embedded
data_dir: data
pipelines: [one.yaml, 'more/**/*.yaml']
api: off
group: logs
host: rack-7
workers: 3
buffer_size: 16MiB
listener_memory: 64MiB
worker_memory: 1GiB
watchdog: 5s
drain_timeout: 1m
references: { env: [A_*], file: [secrets, /run/x] }
outbound: { deny: ['0.0.0.0/0', '::/0'], allow: [10.1.2.0/24] }
`;
  const folder = await folderOf({
    'hub/sluice.yaml': hub,
    'hub/one.yaml': pipeline('one'),
    'hub/more/two.yaml': pipeline('two'),
    'hub/more/deep/three.yaml': pipeline('three'),
    'hub/more/not.yml': pipeline('not'),
    'pipelines/no.yaml': pipeline('no'),
  });
  const { plan, problems } = await folder.load({ file: 'hub/sluice.yaml' });
  expect(problems).toEqual([]);
  const at = (path: string): string => join(folder.path, 'hub', path);
  expect({ ...plan, pipelines: plan!.pipelines.map(({ name, file }) => [name, file]) }).toEqual({
    file: at('sluice.yaml'),
    kafka: null,
    dataDir: at('data'),
    group: 'logs',
    host: 'rack-7',
    api: null,
    workers: 3,
    bufferBytes: 16 * 1024 * 1024,
    listenerBytes: 64 * 1024 * 1024,
    workerMemoryBytes: 1024 * 1024 * 1024,
    watchdogMs: 5000,
    drainMs: 60_000,
    references: { env: ['A_*'], file: [at('secrets'), '/run/x'] },
    outbound: { deny: ['0.0.0.0/0', '::/0'], allow: ['10.1.2.0/24'] },
    pipelines: [
      ['three', at('more/deep/three.yaml')],
      ['two', at('more/two.yaml')],
      ['one', at('one.yaml')],
    ],
  });
});

test('mistakes of a hub file, and those of its pipelines beside them', async () => {
  const hub = `
kafka: { brokers: [a] }
datadir: x
api: { listen: 8686 }
group: My Group
workers: 0
buffer_size: 64
watchdog: 10
data_dir: '\${env:HOME}'
outbound: { deny: [10.0.0.0/33, example.org], allow: ['::1/64'] }
`.trimStart();
  const folder = await folderOf({ 'sluice.yaml': hub, 'pipelines/a.yaml': pipeline('a').replace('topic', 'topc') });
  expect(await folder.problems()).toEqual([
    'sluice.yaml:1:20 CONFIG_BAD_VALUE `kafka.brokers[0]` must be text such as kafka-1:9092, got "a"',
    'sluice.yaml:2:1 CONFIG_UNKNOWN_OPTION the hub file has no option `datadir`; did you mean `data_dir`?',
    expect.stringContaining('sluice.yaml:3:16 CONFIG_BAD_ADDRESS'),
    expect.stringContaining('sluice.yaml:4:8 CONFIG_BAD_NAME `group` must be up to 63 lower-case letters'),
    'sluice.yaml:5:10 CONFIG_BAD_VALUE `workers` must be a whole number from 1 to 256, got 0',
    expect.stringContaining('sluice.yaml:6:14 CONFIG_BAD_SIZE'),
    expect.stringContaining('sluice.yaml:7:11 CONFIG_BAD_DURATION'),
    expect.stringContaining('sluice.yaml:8:12 CONFIG_BAD_REFERENCE'),
    'sluice.yaml:9:20 CONFIG_BAD_VALUE `outbound.deny[0]`: "10.0.0.0/33" has more than 32 bits',
    expect.stringContaining('sluice.yaml:9:33 CONFIG_BAD_VALUE `outbound.deny[1]` must be text'),
    'pipelines/a.yaml:2:1 CONFIG_UNKNOWN_OPTION the pipeline has no option `topc`; did you mean `topic`?',
  ]);
});

test('an empty hub file is one of defaults; one that is not there is a problem', async () => {
  const folder = await folderOf({ 'sluice.yaml': '# nothing\n', 'pipelines/a.yaml': pipeline('a') });
  expect((await folder.load()).plan?.pipelines).toHaveLength(1);
  expect(await folder.problems({ file: 'none.yaml' })).toEqual([
    expect.stringMatching(/^none\.yaml:1:1 CONFIG_UNREADABLE the file cannot be read: ENOENT/),
  ]);
  expect(await folder.problems({ file: '/dev/zero' })).toEqual([
    expect.stringContaining('CONFIG_UNREADABLE this is not a plain file'),
  ]);
});

describe('which pipelines', () => {
  const files = {
    'sluice.yaml': "pipelines: ['pipelines/*.yaml']\n",
    'pipelines/a.yaml': pipeline('alpha'),
    'pipelines/b.yaml': pipeline('beta'),
    'pipelines/bad.yaml': 'name: bad\nnothing: right\n',
    'elsewhere/c.yaml': pipeline('gamma'),
  };
  const namesOf = (plan: { pipelines: readonly { name: string }[] } | null): string[] | undefined =>
    plan?.pipelines.map(({ name }) => name);

  test('names and files; of the hub’s others nothing is looked at', async () => {
    const folder = await folderOf(files);
    const { plan, problems } = await folder.load({ pipelines: ['beta', 'elsewhere/c.yaml'] });
    expect(problems).toEqual([]);
    expect(namesOf(plan)).toEqual(['gamma', 'beta']);
    expect(namesOf((await folder.load({ pipelines: ['pipelines/a.yaml', 'alpha'] })).plan)).toEqual(['alpha']);
  });

  test('a name that nobody has', async () => {
    const folder = await folderOf(files);
    expect(await folder.problems({ pipelines: ['alpa'] })).toEqual([
      'sluice.yaml:1:1 CONFIG_NO_PIPELINE there is no pipeline and no file "alpa"; did you mean `alpha`?',
    ]);
  });

  test('a pattern that finds nothing is a warning, a file that is not there an error', async () => {
    const folder = await folderOf({ 'sluice.yaml': "pipelines: ['none/*.yaml', none.yaml]\n" });
    const { plan, problems } = await folder.load();
    expect(plan).toBeNull();
    expect(problems.map(({ line, column, code, severity }) => [line, column, code, severity])).toEqual([
      [1, 13, 'CONFIG_NO_PIPELINE', 'warning'],
      [1, 28, 'CONFIG_NO_PIPELINE', 'error'],
    ]);
  });

  test('no hub file and no pipelines: an empty plan, which the command line explains', async () => {
    const { plan, problems } = await (await folderOf({})).load();
    expect([plan?.pipelines, problems]).toEqual([[], []]);
  });

  test('folders and links that are named like a pipeline do no harm', async () => {
    const folder = await folderOf({ 'pipelines/a.yaml': pipeline('alpha') });
    await mkdir(join(folder.path, 'pipelines/folder.yaml'));
    await symlink('nowhere', join(folder.path, 'pipelines/dangling.yaml'));
    expect(namesOf((await folder.load()).plan)).toEqual(['alpha']);
  });
});

test('a pipeline with every word', async () => {
  const { file, configHash, ...plan } = await planOf(`
name: orders
isolation: thread
delivery: exactly_once
topic:
  name: orders.v1
  partitions: 4
  compression: zstd
  retention: { age: 1d, size: 1GiB }
  max_record: 2MiB
sources:
  - file: { include: [in/*.log] }
    name: shops
    key: value.id
    partition_by: batch
    decode: text
  - http:
    name: posts
    delivery: at_least_once
sinks:
  - console: { format: ndjson }
    name: screen
    where: value.total > 100.0
    start: latest
    decode: bytes
    batch: { max_records: 10, max_bytes: 1MiB, max_age: 1s }
    retry: { min: 1s, max: 2s }
dead_letter: { topic: orders.bad, max_size: 2GiB, max_rate: { records: 5, share: 0.5 } }
`);
  expect(file).toMatch(/pipelines\/a\.yaml$/);
  expect(configHash).toMatch(/^[0-9a-f]{12}$/);
  expect(plan).toEqual({
    name: 'orders',
    isolation: 'thread',
    topic: {
      name: 'orders.v1',
      partitions: 4,
      replicationFactor: null,
      config: {},
      compression: 'zstd',
      retentionMs: 86_400_000,
      retentionBytes: 1024 ** 3,
      maxRecordBytes: 2 * 1024 ** 2,
    },
    sources: [
      {
        name: 'shops',
        connector: 'file',
        options: { include: ['in/*.log'] },
        decode: 'text',
        key: 'value.id',
        partitionBy: 'batch',
        delivery: 'exactly_once',
        placement: 'host',
        rewinds: true,
      },
      {
        name: 'posts',
        connector: 'http',
        options: {},
        decode: 'json',
        key: null,
        partitionBy: 'source',
        delivery: 'at_least_once',
        placement: 'every',
        rewinds: false,
      },
    ],
    sinks: [
      {
        name: 'screen',
        connector: 'console',
        options: { format: 'ndjson' },
        decode: 'bytes',
        where: 'value.total > 100.0',
        takes: 'records',
        start: 'latest',
        batch: { maxRecords: 10, maxBytes: 1024 ** 2, maxAgeMs: 1000 },
        retry: { minMs: 1000, maxMs: 2000 },
      },
    ],
    deadLetter: { topic: 'orders.bad', maxBytes: 2 * 1024 ** 3, maxRate: { records: 5, share: 0.5 } },
  });
});

test('dead letters: by default, without a limit of their rate, and off', async () => {
  const letters = async (text: string): Promise<unknown> => (await planOf(`${pipeline('a')}${text}`)).deadLetter;
  expect(await letters('')).toEqual({ topic: 'a.dead', maxBytes: 1024 ** 3, maxRate: { records: 1000, share: 0.1 } });
  expect(await letters('dead_letter: { max_rate: off }')).toMatchObject({ topic: 'a.dead', maxRate: null });
  expect(await letters('dead_letter: off')).toMatchObject({ topic: null });
});

test('the hash is that of the text', async () => {
  const hash = async (text: string): Promise<string> => (await planOf(text)).configHash;
  expect(await hash(pipeline('a'))).toBe(await hash(pipeline('a')));
  expect(await hash(pipeline('a'))).not.toBe(await hash(`${pipeline('a')}# changed\n`));
});
