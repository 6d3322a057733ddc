import { execFile } from 'node:child_process';
import { access, glob, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { errorCatalogue } from '../src/api/index.ts';
import { loadHub, problemCatalogue } from '../src/config/index.ts';
import { createRegistry } from '../src/registry/index.ts';
import { METRIC } from '../src/telemetry/index.ts';

const root = join(import.meta.dirname, '..');
const registry = createRegistry();
jest.setTimeout(30_000);

test('what is generated is current; `npm run docs` makes it so', async () => {
  const script = join(root, 'scripts', 'docs.ts');
  // By itself, as the formatter cannot be loaded here.
  const check = promisify(execFile)(process.execPath, ['-C', 'sluice-source', script, '--check']);
  await expect(check).resolves.toMatchObject({ stderr: '' });
});

test('every error code is used somewhere, and those of docs/errors.md are all there are', async () => {
  const sources = await textsOf('src/**/*.ts', 'connectors/**/*.ts');
  const codes = Object.keys({ ...errorCatalogue, ...problemCatalogue });
  const uses = sources.filter(({ file }) => !/src\/(api\/errors|config\/problems)\.ts$/.test(file));
  expect(codes.filter((code) => !uses.some(({ text }) => text.includes(`'${code}'`)))).toEqual([]);
  const page = await readFile(join(root, 'docs', 'errors.md'), 'utf8');
  const listed = [...page.matchAll(/^\| `([A-Z_]+)`/gm)].map(([, code]) => code);
  expect(listed.sort()).toEqual(codes.sort());
});

test('every metric of the catalogue is used in the code, and no other', async () => {
  const sources = (await textsOf('src/**/*.ts', 'connectors/**/*.ts')).filter(
    ({ file }) => !file.endsWith('telemetry/catalogue.ts'),
  );
  const isUsed = (key: string): boolean => sources.some(({ text }) => new RegExp(`METRIC\\.${key}\\b`).test(text));
  expect(Object.keys(METRIC).filter((key) => !isUsed(key))).toEqual([]);
  const names: string[] = Object.values(METRIC).map(({ name }) => name);
  const spelled = sources.flatMap(({ text }) =>
    [...text.matchAll(/'((?:sluice|process)_[a-z_]+)'/g)].map(([, name]) => name!),
  );
  expect(spelled.filter((name) => !names.includes(name))).toEqual([]);
});

test('the examples of every connector validate', async () => {
  await inFolder(async (folder) => {
    for (const definition of await registry.all()) {
      for (const { title, options } of definition.examples) {
        const leg = [{ [definition.name]: options }];
        const pipeline = { name: 'example', topic: 'example', [`${definition.kind}s`]: leg };
        const problems = await problemsOf(folder, stringify(pipeline));
        expect({ connector: definition.name, title, problems }).toMatchObject({ problems: [] });
      }
    }
  });
});

test('the YAML that README files and docs show validates', async () => {
  const shown = await blocks('yaml');
  expect(shown.length).toBeGreaterThan(10);
  await inFolder(async (folder) => {
    for (const { file, text } of shown) {
      const problems = await problemsOf(folder, ...asFiles(text));
      expect({ file, text, problems }).toMatchObject({ problems: [] });
    }
  });
});

test('every folder of connectors has a README with generated options', async () => {
  for (const folder of await readdir(join(root, 'connectors'))) {
    const text = await readFile(join(root, 'connectors', folder, 'README.md'), 'utf8');
    expect({ folder, text }).toMatchObject({ text: expect.stringContaining('<!-- generated:options -->') as string });
  }
});

test('links lead to files and headings that are there', async () => {
  const pages = await textsOf('*.md', 'docs/*.md', 'connectors/*/README.md');
  const broken: string[] = [];
  for (const { file, text } of pages) {
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
      if (!(await leadsSomewhere(file, target))) broken.push(`${file}: ${target}`);
    }
  }
  expect(broken).toEqual([]);
});

test('npm scripts that the pages name are there', async () => {
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { scripts: object };
  const pages = await textsOf('*.md', 'docs/*.md', 'connectors/*/README.md');
  const named = pages.flatMap(({ text }) => [...text.matchAll(/npm run (?:-s )?([a-z:]+)/g)].map(([, name]) => name!));
  expect([...new Set(named)].filter((name) => !(name in scripts))).toEqual([]);
});

interface Text {
  /** Absolute. */
  readonly file: string;
  readonly text: string;
}

async function textsOf(...patterns: string[]): Promise<readonly Text[]> {
  const texts: Text[] = [];
  for await (const name of glob(patterns, { cwd: root }))
    texts.push({ file: join(root, name), text: await readFile(join(root, name), 'utf8') });
  expect(texts).not.toEqual([]);
  return texts;
}

async function blocks(language: string): Promise<readonly Text[]> {
  const pages = await textsOf('README.md', 'docs/*.md', 'connectors/*/README.md');
  return pages.flatMap(({ file, text }) =>
    [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, block]) => ({
      file,
      text: block!,
    })),
  );
}

/** A block may be a hub file, a pipeline, or only its sources or sinks. */
function asFiles(text: string): [pipeline: string, hub?: string] {
  const keys = [...text.matchAll(/^([a-z_]+):/gm)].map(([, key]) => key!);
  const isPipeline = ['name', 'sources', 'sinks', 'topic'].some((key) => keys.includes(key));
  const empty = 'name: example\ntopic: example\nsinks:\n  - console: {}\n';
  if (!isPipeline) return [empty, text];
  return [
    [text, keys.includes('name') ? '' : 'name: example', keys.includes('topic') ? '' : 'topic: example'].join('\n'),
  ];
}

/** Jobs of Spark read Kafka, unless the records are landed for them. */
function hubFor(pipeline: string): string {
  const readsKafka = /^ *(?:- )?spark(?:_streaming)?:/m.test(pipeline) && !/^ *land:/m.test(pipeline);
  return readsKafka ? 'kafka: { brokers: [localhost:9092] }\n' : '';
}

/** What `validate` says, apart from what depends on the machine or on other pipelines. */
async function problemsOf(folder: string, pipeline: string, hub = hubFor(pipeline)): Promise<readonly string[]> {
  await writeFile(join(folder, 'pipeline.yaml'), pipeline);
  await writeFile(join(folder, 'sluice.yaml'), hub.replace(/^pipelines:.*$/m, ''));
  const loaded = await loadHub({ pipelines: ['pipeline.yaml'], cwd: folder, env: {}, registry });
  return loaded.problems
    .filter(({ code }) => code !== 'CONFIG_REFERENCE_UNSET' && code !== 'CONFIG_TOPIC_UNWRITTEN')
    .map(({ line, code, message }) => `${line} ${code} ${message}`);
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-docs-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function leadsSomewhere(from: string, target: string): Promise<boolean> {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? from : resolve(dirname(from), path);
  try {
    await access(file);
    return anchor === undefined || headingsOf(await readFile(file, 'utf8')).includes(anchor);
  } catch {
    return false;
  }
}

function headingsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
