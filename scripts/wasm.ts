/** `npm run wasm [-- --check]`: compiles wasm/ into src/codec/vector-module.ts, or says that this is not current. */
import asc from 'assemblyscript/asc';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const root = join(import.meta.dirname, '..');
const target = join(root, 'src', 'codec', 'vector-module.ts');
/** What wasm/memory.ts divides. */
const PAGES = '9';

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
const wanted = `/** WebAssembly in base64, compiled from wasm/ by \`npm run wasm\`. */
export const VECTOR_MODULE =
  '${Buffer.from(await compiled()).toString('base64')}';
`;
if ((await readFile(target, 'utf8').catch(() => '')) !== wanted) {
  if (values.check) {
    console.error(`${target} is not current; run: npm run wasm`);
    process.exitCode = 1;
  } else await writeFile(target, wanted);
}

async function compiled(): Promise<Uint8Array> {
  const files: Uint8Array[] = [];
  const options = [
    ...['wasm/index.ts', '--baseDir', root, '--outFile', 'module.wasm'],
    ...['-O3', '--noAssert', '--runtime', 'stub', '--use', 'abort=', '--enable', 'simd'],
    ...['--initialMemory', PAGES, '--maximumMemory', PAGES],
    // That vectors cannot be handed to JavaScript; none is.
    ...['--disableWarning', '112'],
  ];
  const { error } = await asc.main(options, {
    stderr: process.stderr,
    writeFile(_name, contents) {
      if (typeof contents !== 'string') files.push(contents);
    },
  });
  if (error !== null) throw new Error('compiling wasm/', { cause: error });
  return files[0]!;
}
