import { legPromise, type LegPromise } from '../../src/config/index.ts';
import { createRegistry } from '../../src/registry/index.ts';
import { folderOf, removeFolders } from './support/hub.ts';

afterEach(removeFolders);

async function promisesOf(text: string, hubFile = ''): Promise<Record<string, LegPromise>> {
  const folder = await folderOf({ 'sluice.yaml': hubFile, 'pipelines/a.yaml': text });
  const { plan: hub, problems } = await folder.load();
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  const pipeline = hub!.pipelines[0]!;
  const registry = createRegistry();
  const promises: Record<string, LegPromise> = {};
  for (const [kind, legs] of [
    ['source', pipeline.sources],
    ['sink', pipeline.sinks],
  ] as const) {
    for (const leg of legs) {
      const definition = await registry.find(kind, leg.connector);
      promises[`${leg.name}${kind === 'sink' && leg.name === 'file' ? ' sink' : ''}`] = legPromise(definition!, leg, {
        pipeline,
        hub: hub!,
      });
    }
  }
  return promises;
}

test('what each leg promises, what it is parsed for, and by what its state is known', async () => {
  const promises = await promisesOf(`
name: a
topic: t
sources:
  - file: { include: [x] }
    name: read
  - http: {}
    key: value.id
  - generate: {}
    key: "'fixed'"
sinks:
  - file: { path: 'out/{{ value.host }}' }
    name: by-host
    where: value.status >= 500
  - file: { path: "days/{{ formatTime(timestamp, 'yyyy') }}" }
    name: by-year
  - console: { max_per_second: 5 }
`);
  expect(promises).toMatchObject({
    read: { promise: 'exactly-once', holes: [], parsedFor: [], identity: 'default/a/source/read' },
    http: { promise: 'at-least-once', parsedFor: ['key'], identity: 'default/a/source/http' },
    generate: { parsedFor: [] },
    'by-host': { promise: 'exactly-once', parsedFor: ['where', 'path'], identity: 'sluice.default.a.sink.by-host' },
    'by-year': { parsedFor: [] },
    console: { promise: 'at-least-once', holes: ['prints 5 records a second and skips the others'] },
  });
  expect(promises.http!.holes).toEqual([expect.stringContaining('unless it has an id that was seen within')]);
});

const ontoKafka = `
name: a
topic: t
sources:
  - file: { include: [x] }
  - http: {}
  - generate: {}
sinks:
  - file: { path: out }
  - console: {}
`;

test('into Kafka sources are at-least-once, and it says how much comes twice and what fences', async () => {
  const promises = await promisesOf(ontoKafka, "kafka: { brokers: ['b:9092'] }\nhost: h1\ngroup: g\nworkers: 1\n");
  expect(promises).toMatchObject({
    file: {
      promise: 'at-least-once',
      holes: [
        'after SIGKILL the last 100 ms (16MiB at the most) and what was in flight (9MiB at the most) may be written twice',
      ],
      identity: 'g/a/source/file/h1',
      fencedBy: 'sluice.g.a.source.file.h1',
    },
    http: { promise: 'at-least-once', identity: 'g/a/source/http', fencedBy: null },
    generate: { promise: 'at-least-once', identity: 'g/a/source/generate', fencedBy: 'sluice.g.a.source.generate' },
    'file sink': { promise: 'exactly-once', identity: 'sluice.g.a.sink.file', fencedBy: null },
    console: { promise: 'at-least-once', holes: [], identity: 'sluice.g.a.sink.console' },
  });
  expect(promises.http!.holes).toEqual([expect.stringContaining('by the same process within')]);
  expect(promises['file sink']!.holes.at(-1)).toContain('in a folder that they share');
});

test('without transactions nothing fences, and it says so', async () => {
  const promises = await promisesOf(ontoKafka, "kafka: { brokers: ['b:9092'], driver: kafkajs }\n");
  expect(promises.file).toMatchObject({ identity: 'default/a/source/file/<hub id>', fencedBy: null });
  expect(promises.file!.holes[1]).toBe(
    'nothing fences a hub that was replaced: the driver `kafkajs` has no transactions',
  );
  expect(promises.http!.holes).toHaveLength(1);
});

test('into Kafka in transactions, and it says what becomes visible together', async () => {
  const text = ontoKafka.replace('  - http: {}\n', '').replace('topic: t', 'topic: t\ndelivery: exactly_once');
  const kafka = "kafka: { brokers: ['b:9092'], client: { transaction_timeout: 30s } }\nhost: h1\ngroup: g\n";
  const promises = await promisesOf(text, kafka);
  expect(promises.file).toMatchObject({
    promise: 'exactly-once',
    window: 'transactions of 500 ms or 64MiB, one more in line; brokers abort one after 30s',
    identity: 'g/a/source/file/h1',
    fencedBy: 'sluice.g.a.source.file.h1',
  });
  expect(promises.generate).toMatchObject({ promise: 'exactly-once', fencedBy: 'sluice.g.a.source.generate' });
});
