import { legPromise, type LegPromise } from '../../src/config/index.ts';
import { createRegistry } from '../../src/registry/index.ts';
import { planOf, removeFolders } from './support/hub.ts';

afterEach(removeFolders);

async function promisesOf(text: string): Promise<Record<string, LegPromise>> {
  const pipeline = await planOf(text);
  const registry = createRegistry();
  const promises: Record<string, LegPromise> = {};
  for (const [kind, legs] of [
    ['source', pipeline.sources],
    ['sink', pipeline.sinks],
  ] as const) {
    for (const leg of legs) {
      const definition = await registry.find(kind, leg.connector);
      promises[leg.name] = legPromise(definition!, leg, { pipeline, group: 'default' });
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
