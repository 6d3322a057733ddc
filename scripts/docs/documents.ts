import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { hubSchema, pipelineSchema } from '../../src/config/index.ts';
import { createRegistry } from '../../src/registry/index.ts';
import { fillParts } from './markdown.ts';
import { documentParts, readmeParts } from './parts.ts';

export interface GeneratedDocument {
  /** Within the checkout. */
  readonly path: string;
  /** Null when there is none yet. */
  readonly present: string | null;
  readonly wanted: string;
}

const pages = ['docs/configuration.md', 'docs/errors.md', 'docs/metrics.md'];

/** Everything that is written by `npm run docs`, as it is and as it should be. */
export async function generatedDocuments(root: string): Promise<readonly GeneratedDocument[]> {
  const registry = createRegistry();
  const definitions = await registry.all();
  const schemas = { 'docs/pipeline.schema.json': pipelineSchema(definitions), 'docs/hub.schema.json': hubSchema() };
  return Promise.all([
    ...pages.map((path) => filled(root, path, documentParts())),
    ...(await readmeFolders(root)).map((folder) => readme(root, folder)),
    ...Object.entries(schemas).map(([path, schema]) => whole(root, path, JSON.stringify(schema))),
  ]);
}

/** That each folder has one is held elsewhere. */
async function readmeFolders(root: string): Promise<readonly string[]> {
  const names = await readdir(join(root, 'connectors'), { recursive: true });
  return names.filter((name) => basename(name) === 'README.md').map((name) => dirname(name));
}

async function readme(root: string, folder: string): Promise<GeneratedDocument> {
  const { definitions } = (await import(`../../connectors/${folder}/index.ts`)) as {
    definitions: Parameters<typeof readmeParts>[0];
  };
  return filled(root, `connectors/${folder}/README.md`, await readmeParts(definitions));
}

async function filled(root: string, path: string, parts: Readonly<Record<string, string>>): Promise<GeneratedDocument> {
  const present = await readFile(join(root, path), 'utf8');
  return { path, present, wanted: await formatted(root, path, fillParts(present, parts)) };
}

async function whole(root: string, path: string, text: string): Promise<GeneratedDocument> {
  const present = await readFile(join(root, path), 'utf8').catch(() => null);
  return { path, present, wanted: await formatted(root, path, text) };
}

async function formatted(root: string, path: string, text: string): Promise<string> {
  const filepath = join(root, path);
  return format(text, { ...(await resolveConfig(filepath)), filepath });
}
