/** `npm run wasm [-- --check]`: compiles wasm/ into src/codec/vector-module.ts, or says that this is not current. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';

const require = createRequire(import.meta.url);
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

/** By a process of its own: the types of the compiler change those of the language wherever they are imported. */
async function compiled(): Promise<Uint8Array> {
  const compiler = require.resolve('assemblyscript/bin/asc.js');
  const folder = await mkdtemp(join(tmpdir(), 'sluice-wasm-'));
  try {
    const file = join(folder, 'module.wasm');
    const options = [
      ...['wasm/index.ts', '--outFile', file],
      ...['-O3', '--noAssert', '--runtime', 'stub', '--use', 'abort=', '--enable', 'simd'],
      ...['--initialMemory', PAGES, '--maximumMemory', PAGES],
      // That vectors cannot be handed to JavaScript; none is.
      ...['--disableWarning', '112'],
    ];
    await promisify(execFile)(process.execPath, [compiler, ...options], { cwd: root });
    return await readFile(file);
  } finally {
    await rm(folder, { recursive: true });
  }
}
