/** `npm run prove:sources -- --rows many-files` does the same with 10,000 files and a hub. */
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createNodeStorage, type InputStorage } from '../../../connectors/file/source/storage.ts';
import { fileLife } from './support/life.ts';
import { eventually } from './support/source.ts';

const DESCRIPTORS = 64;
/** Opened for a moment to tell what they are: newcomers one by one, open ones beside each of the readers. */
const LOOKED_AT = 8;
/** Written and opened at once by the test itself. */
const AT_ONCE = 50;

const life = fileLife();

/** A storage that knows how many files are open, and how many were at most. */
function counting(): { readonly storage: InputStorage; open: number; most: number } {
  const node = createNodeStorage();
  const counted = {
    ...{ open: 0, most: 0 },
    storage: {
      ...node,
      async open(path: string) {
        const file = await node.open(path);
        counted.most = Math.max(counted.most, ++counted.open);
        const close = file.close.bind(file);
        file.close = async () => {
          counted.open--;
          await close();
        };
        return file;
      },
    },
  };
  return counted;
}

async function growAll(files: number, line: string): Promise<void> {
  for (let first = 0; first < files; first += AT_ONCE) {
    const group = Array.from({ length: Math.min(AT_ONCE, files - first) }, (_, index) => first + index);
    await Promise.all(group.map((file) => appendFile(join(life.folder, `${file}.log`), `${line} of ${file}\n`)));
  }
}

test('2,000 files with 64 descriptors: all are read, and read on when they grow, closed ones too', async () => {
  const files = 2000;
  const counted = counting();
  await growAll(files, 'first');
  const source = await life.started({ storage: counted.storage, maxOpenFiles: DESCRIPTORS });
  for (const [round, line] of ['second', 'third'].entries()) {
    await eventually(() => source.count === files * (round + 1), 30_000);
    await growAll(files, line);
  }
  await eventually(() => source.count === files * 3, 30_000);
  expect(new Set(source.values).size).toBe(files * 3);
  expect(counted.most).toBeGreaterThan(DESCRIPTORS / 2);
  expect(counted.most).toBeLessThanOrEqual(DESCRIPTORS + LOOKED_AT);
  await source.stop();
  expect(counted.open).toBe(0);
}, 90_000);

test('a search is made again soon, however long it took to look into the files that it found', async () => {
  const node = createNodeStorage();
  const slow: InputStorage = {
    ...node,
    // Each file that turns up takes its time once.
    open: async (path) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return node.open(path);
    },
  };
  await growAll(100, 'first');
  const source = await life.started({ storage: slow });
  await eventually(() => source.count === 100);
  const since = performance.now();
  await writeFile(join(life.folder, 'late.log'), 'late\n');
  await eventually(() => source.values.includes('late'));
  // Four times what the first search and its 100 files took would be eight seconds.
  expect(performance.now() - since).toBeLessThan(4000);
}, 30_000);

test('the limit of the process is reached: what cannot be opened is tried again, and nothing is lost', async () => {
  const node = createNodeStorage();
  let open = 0;
  let refused = 0;
  const scarce: InputStorage = {
    ...node,
    async open(path) {
      if (open >= 3) {
        refused++;
        throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE', syscall: 'open' });
      }
      open++;
      const file = await node.open(path).catch((error: unknown) => {
        open--;
        throw error;
      });
      const close = file.close.bind(file);
      file.close = async () => {
        open--;
        await close();
      };
      return file;
    },
  };
  await growAll(20, 'first');
  const source = await life.started({ storage: scarce, maxOpenFiles: 8, closeInactiveMs: 50 });
  await eventually(() => source.count === 20, 20_000);
  await growAll(20, 'second');
  await eventually(() => source.count === 40, 20_000);
  expect(refused).toBeGreaterThan(0);
  expect(new Set(source.values).size).toBe(40);
  const warned = source.lines.filter(({ message }) => message === 'file not readable');
  expect(warned[0]).toMatchObject({ level: 'warn', fields: { cause: expect.stringContaining('EMFILE') as string } });
}, 60_000);
