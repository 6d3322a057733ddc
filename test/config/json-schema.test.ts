import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { hubSchema, pipelineSchema } from '../../src/config/index.ts';
import { createRegistry } from '../../src/registry/index.ts';

const root = join(import.meta.dirname, '..', '..');

async function validators(): Promise<Record<'hub' | 'pipeline', (value: unknown) => boolean>> {
  const ajv = new Ajv({ strict: false, validateFormats: false });
  const pipeline = ajv.compile(pipelineSchema(await createRegistry().all()));
  const hub = ajv.compile(hubSchema());
  return { hub: (value) => hub(value), pipeline: (value) => pipeline(value) };
}

test('the files of this repository are valid', async () => {
  const { hub, pipeline } = await validators();
  expect(hub(parse(await readFile(join(root, 'sluice.yaml'), 'utf8')))).toBe(true);
  const files = (await readdir(join(root, 'pipelines'))).filter((name) => name.endsWith('.yaml'));
  expect(files).not.toEqual([]);
  for (const file of files)
    expect([file, pipeline(parse(await readFile(join(root, 'pipelines', file), 'utf8')))]).toEqual([file, true]);
});

test('every example of a connector is valid, and a reference may stand for a number', async () => {
  const { pipeline } = await validators();
  for (const { kind, name, examples } of await createRegistry().all()) {
    for (const { options } of examples)
      expect([name, pipeline({ name: 'a', topic: 't', [`${kind}s`]: [{ [name]: options }] })]).toEqual([name, true]);
  }
  const generate = { generate: { count: '${env:SLUICE_COUNT}' } };
  expect(pipeline({ name: 'a', topic: 't', sources: [generate] })).toBe(true);
});

test.each([
  { name: 'A', topic: 't' },
  { name: 'a', topic: 't', sink: [] },
  { name: 'a', topic: 't', sources: [{ fil: {} }] },
  { name: 'a', topic: 't', sources: [{ file: { inclde: ['x'] } }] },
  { name: 'a', topic: 't', sources: [{ generate: {}, http: {} }] },
  { name: 'a', topic: 't', sources: [{ generate: { count: 'many' } }] },
  { name: 'a', topic: 't', sinks: [{ console: {}, batch: { max_age: '5 parsecs' } }] },
  { name: 'a', topic: { name: 't', partitions: 'many' } },
])('%j is not', async (value) => {
  expect((await validators()).pipeline(value)).toBe(false);
});

test('every option has a description, for editors', async () => {
  const bare: string[] = [];
  const visit = (schema: unknown, path: string): void => {
    if (typeof schema !== 'object' || schema === null) return;
    const { properties, definitions, items, anyOf } = schema as Record<string, Record<string, unknown> | undefined>;
    for (const [name, property] of Object.entries(properties ?? {})) {
      if (typeof (property as { description?: unknown }).description !== 'string') bare.push(`${path}.${name}`);
      visit(property, `${path}.${name}`);
    }
    for (const [name, definition] of Object.entries(definitions ?? {})) visit(definition, name);
    for (const branch of Object.values(anyOf ?? {})) visit(branch, path);
    visit(items, `${path}[]`);
  };
  visit(pipelineSchema(await createRegistry().all()), 'pipeline');
  visit(hubSchema(), 'hub');
  expect(bare).toEqual([]);
});
