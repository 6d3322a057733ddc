import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConnectorDefinition } from '../../src/api/index.ts';
import { createRegistry } from '../../src/registry/index.ts';
import { BUILT_INS } from '../../src/registry/registry.ts';

const root = join(import.meta.dirname, '..', '..');

test('the table of built-ins is what the folders define, no more and no less', async () => {
  const definitions = await createRegistry().all();
  const defined = (kind: string): string[] =>
    definitions
      .filter((definition) => definition.kind === kind)
      .map(({ name }) => name)
      .sort();
  expect(defined('source')).toEqual(Object.keys(BUILT_INS.source).sort());
  expect(defined('sink')).toEqual(Object.keys(BUILT_INS.sink).sort());
  const folders = new Set(Object.values(BUILT_INS).flatMap((names) => Object.values(names)));
  expect([...folders].sort()).toEqual((await readdir(join(root, 'connectors'))).sort());
});

test('a connector is found by kind and name', async () => {
  const registry = createRegistry();
  expect(await registry.find('sink', 'console')).toMatchObject({ kind: 'sink', name: 'console' });
  expect(await registry.find('source', 'console')).toBeNull();
  expect(await registry.find('source', 'constructor')).toBeNull();
  expect(await registry.names('source')).toEqual([
    'directory',
    'file',
    'fluentd',
    'generate',
    'http',
    'kafka',
    'socket',
    'stdin',
    'syslog',
  ]);
});

test('only the folder that is needed is loaded, and once', async () => {
  const loaded: string[] = [];
  const registry = createRegistry((folder) => {
    loaded.push(folder);
    return Promise.resolve([{ kind: 'sink', name: 'file' } as ConnectorDefinition]);
  });
  const sinks = ['console', 'elasticsearch', 'file', 'kafka', 'opensearch', 'solr', 'spark', 'spark_streaming'];
  expect(await registry.names('sink')).toEqual(sinks);
  expect(loaded).toEqual([]);
  await Promise.all([registry.find('sink', 'file'), registry.find('sink', 'file'), registry.find('sink', 'nothing')]);
  expect(await registry.find('source', 'file')).toBeNull();
  expect(loaded).toEqual(['file']);
});
