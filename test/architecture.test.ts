import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** Imports go one way: a room imports only rooms to its left. */
const rooms = [
  'api',
  'record',
  'codec',
  'expression',
  'telemetry',
  'toolkit',
  'kafka',
  'log',
  'registry',
  'config',
  'pipeline',
  'supervisor',
  'testing',
  'admin',
  'cli',
];

/** What a connector may import besides Node's modules and its own folder. A package of its own is named here, with its folder. */
const connectorPackages: Readonly<Record<string, readonly string[]>> = {
  elasticsearch: ['@elastic/elasticsearch', '@opensearch-project/opensearch'],
  file: [
    'avsc',
    'chokidar',
    'csv-stringify/sync',
    'hyparquet-writer',
    'hyparquet-writer/src/datapage.js',
    'hyparquet-writer/src/snappy.js',
    'picomatch',
  ],
};
const contract = ['sluice/api', 'sluice/toolkit', 'sluice/codec', 'sluice/kafka'];

interface Import {
  readonly file: string;
  readonly target: string;
}

test('every folder of src is a room with a place in the order', async () => {
  expect((await readdir(join(root, 'src'))).sort()).toEqual([...rooms].sort());
});

test('a room imports only rooms to its left', async () => {
  const violations = (await importsBelow('src')).flatMap(({ file, target }) => {
    const room = file.split('/')[1]!;
    const other = /^(?:\.\.\/)+([a-z]+)\//.exec(relativeToRoom(file, target))?.[1];
    if (target.startsWith('.') && other !== undefined && other !== room) {
      if (rooms.indexOf(other) < rooms.indexOf(room)) return [];
      return [`${file} imports ${target}: ${other} stands right of ${room}, so ${room} may not know it`];
    }
    return target.includes('connectors/')
      ? [`${file} imports ${target}: connectors are found by the registry only`]
      : [];
  });
  expect(violations).toEqual([]);
});

test('another room is imported through its index, so that a room can be rebuilt behind it', async () => {
  const violations = (await importsBelow('src')).flatMap(({ file, target }) => {
    const inside = /^(?:\.\.\/)+([a-z]+)\/(.+)$/.exec(relativeToRoom(file, target));
    const crosses = inside !== null && rooms.includes(inside[1]!) && inside[1] !== file.split('/')[1];
    return crosses && inside[2] !== 'index.ts'
      ? [`${file} imports ${target}: import ${inside[1]}/index.ts instead`]
      : [];
  });
  expect(violations).toEqual([]);
});

test('connectors import the contract as third parties do, and never another connector', async () => {
  const violations = (await importsBelow('connectors')).flatMap(({ file, target }) => {
    const folder = file.split('/')[1]!;
    if (target.startsWith('node:') || contract.includes(target)) return [];
    if (target.startsWith('./') || (target.startsWith('../') && !leavesFolder(file, target))) return [];
    if (connectorPackages[folder]?.includes(target) === true) return [];
    return [`${file} imports ${target}: a connector knows ${contract.join(', ')} and its own packages`];
  });
  expect(violations).toEqual([]);
});

test('each connector has its definitions, its options and a README', async () => {
  for (const folder of await readdir(join(root, 'connectors'))) {
    const files = await readdir(join(root, 'connectors', folder));
    expect({ folder, files }).toEqual({ folder, files: expect.arrayContaining(['index.ts', 'README.md']) as string[] });
    expect(files.filter((name) => name.endsWith('options.ts'))).not.toEqual([]);
  }
});

async function importsBelow(folder: string): Promise<Import[]> {
  const names = await readdir(join(root, folder), { recursive: true });
  const files = names.filter((name) => name.endsWith('.ts')).map((name) => join(folder, name));
  expect(files.length).toBeGreaterThan(0);
  const imports = await Promise.all(
    files.map(async (file) => importsOf(file, await readFile(join(root, file), 'utf8'))),
  );
  return imports.flat();
}

function importsOf(file: string, text: string): Import[] {
  const pattern =
    /(?:^|\n)\s*(?:import|export)\b[^;'"]*?\bfrom\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)import\s+['"]([^'"]+)['"]/g;
  return [...text.matchAll(pattern)].map((match) => ({ file, target: match[1] ?? match[2] ?? match[3]! }));
}

/** `../../record/x.ts` in src/log/embedded/ says the same as `../record/x.ts` in src/log/: a path that leaves the room. */
function relativeToRoom(file: string, target: string): string {
  const depth = file.split('/').length - 3;
  const climbs = (target.match(/\.\.\//g) ?? []).length;
  return climbs > depth ? target : '';
}

function leavesFolder(file: string, target: string): boolean {
  return (target.match(/\.\.\//g) ?? []).length > file.split('/').length - 3;
}
