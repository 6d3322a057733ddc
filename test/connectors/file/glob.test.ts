import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { Glob } from '../../../connectors/file/source/glob.ts';
import { createNodeStorage, type InputStorage } from '../../../connectors/file/source/storage.ts';
import { temporaryFolder } from './support/source.ts';

let folder: string;
const listed: string[] = [];
const nodeStorage = createNodeStorage();
const storage: InputStorage = {
  ...nodeStorage,
  list: (path) => {
    listed.push(relative(folder, path));
    return nodeStorage.list(path);
  },
};

beforeAll(async () => {
  folder = await temporaryFolder();
  for (const path of ['a.log', 'b.txt', '.hidden.log', 'one/a.log', 'one/two/a.log', 'two/b.log', 'one/.git/a.log']) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), 'x');
  }
  await symlink(join(folder, 'one'), join(folder, 'link'));
});

const find = async (include: string[], exclude: string[] = []): Promise<string[]> => {
  listed.length = 0;
  const glob = new Glob(
    include.map((pattern) => join(folder, pattern)),
    exclude.map((pattern) => join(folder, pattern)),
    storage,
  );
  const found = await glob.find((_, error) => {
    throw error as Error;
  });
  return found.map((path) => relative(folder, path));
};

test.each([
  [['*.log'], ['a.log']],
  [['a.log'], ['a.log']],
  [['.hidden.log'], ['.hidden.log']],
  [['*/*.log'], ['link/a.log', 'one/a.log', 'two/b.log']],
  [['**/*.log'], ['a.log', 'one/a.log', 'one/two/a.log', 'two/b.log']],
  [['{one,two}/?.log'], ['one/a.log', 'two/b.log']],
  [['{one/two,two}/*'], ['one/two/a.log', 'two/b.log']],
  [
    ['*.log', 'a.*', '*.txt'],
    ['a.log', 'b.txt'],
  ],
  [['nowhere/*.log'], []],
])('%j finds %j', async (include, expected) => {
  expect(await find(include)).toEqual(expected);
});

test('leaves out what is excluded, whole folders too', async () => {
  expect(await find(['**/*.log'], ['one', 'two/*'])).toEqual(['a.log']);
  expect(listed).toEqual(['', 'two']);
});

test('walks only where a pattern leads', async () => {
  await find(['t*/*.log']);
  expect(listed).toEqual(['', 'two']);
});
