import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cleanUp, HubFolder } from './support/hub-folder.ts';

jest.setTimeout(180_000);
afterAll(cleanUp);

const pipeline = `name: orders
sources:
  - file: { include: ['in/*.log'] }
    key: value.customer
  - http: { listen: HTTP }
    key: value.customer
topic: { name: orders, partitions: 3 }
sinks:
  - file: { path: 'out/{{ value.customer }}', format: ndjson, roll: { idle: 200ms } }
  - elasticsearch: { endpoints: ['http://127.0.0.1:1'], index: orders }
    where: value.customer != 'c2'
`;
const sample = [1, 2, 3].map((customer) => `{"customer":"c${customer}","amount":${customer}}\n`).join('');

interface Told {
  readonly ok: boolean;
  readonly ends: readonly string[];
  readonly sinks: readonly Readonly<Record<string, unknown>>[];
}

async function prove(folder: HubFolder, ...flags: string[]): Promise<{ code: number | null; told: Told }> {
  const proving = folder.sluice('prove', 'orders', '--json', '--seed', '20261126', ...flags);
  const code = await proving.exit();
  if (proving.stdout === '') throw new Error(proving.stderr);
  return { code, told: JSON.parse(proving.stdout) as Told };
}

/** Both wait most of the time: they take it together. */
let good: ReturnType<typeof proveGood>;
let planted: ReturnType<typeof provePlanted>;
beforeAll(async () => {
  [good, planted] = [proveGood(), provePlanted()];
  await Promise.allSettled([good, planted]);
});

async function proveGood(): Promise<{ code: number | null; told: Told; left: readonly string[] }> {
  const folder = await HubFolder.create({ 'orders.yaml': pipeline });
  await folder.write('sample.ndjson', sample);
  const flags = ['--doubles', '--sample', 'sample.ndjson', '--records', '4000', '--kills', '2'];
  return { ...(await prove(folder, ...flags)), left: (await readdir(folder.path)).sort() };
}

async function provePlanted(): Promise<{ code: number | null; told: Told }> {
  const folder = await HubFolder.create({
    'orders.yaml': `name: orders
sources: [{ file: { include: ['in/*.log'] } }]
topic: orders
sinks: [{ file: { path: out } }]
`,
  });
  folder.env.SLUICE_TESTING = '1';
  folder.env.SLUICE_TEST_CONNECTORS = join(import.meta.dirname, 'support', 'hasty-sink.ts');
  // With this seed the second life ends right behind a commit of offsets.
  return prove(folder, '--records', '2000', '--kills', '2', '--seed', '36', '--no-network');
}

test('a pipeline keeps its promises under kills, crash points and bad connections, and nothing stays behind', async () => {
  const { code, told, left } = await good;
  expect(told).toMatchObject({
    ok: true,
    sinks: [
      {
        sink: 'file',
        expected: 4000,
        delivered: 4000,
        lost: 0,
        reordered: 0,
        strange: 0,
        dead_lettered: 0,
        broken: [],
      },
      // A third of the keys, which take turns in the sample, is not wanted here.
      { sink: 'elasticsearch', expected: 2500, delivered: 2500, lost: 0, strange: 0, broken: [] },
    ],
  });
  expect(told.ends).toHaveLength(2);
  expect(code).toBe(0);
  expect(left).toEqual(['orders.yaml', 'sample.ndjson', 'sluice.yaml']);
});

test('a sink that acknowledges before it writes is found', async () => {
  const { code, told } = await planted;
  expect(told.ok).toBe(false);
  expect(told.sinks).toEqual([
    expect.objectContaining({ sink: 'file', broken: [expect.stringMatching(/^\d+ lost$/)] }),
  ]);
  expect(code).toBe(1);
});

test('says what it cannot prove, and why', async () => {
  const folder = await HubFolder.create({
    'piped.yaml': 'name: piped\nsources: [{ stdin: {} }]\ntopic: piped\nsinks: [{ console: {} }]\n',
    'chained.yaml': 'name: chained\ntopic: piped\nsinks: [{ console: {} }]\n',
  });
  const [piped, chained] = [folder.sluice('prove', 'piped'), folder.sluice('prove', 'chained')];
  expect([await piped.exit(), await chained.exit()]).toEqual([2, 2]);
  expect(piped.stderr).toMatch(/piped cannot be proven yet: source stdin: what it has read .* cannot be read again/);
  expect(chained.stderr).toMatch(
    /chained cannot be proven yet: it has no source; prove the pipeline that writes its topic piped/,
  );
});
