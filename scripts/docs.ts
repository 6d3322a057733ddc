/** `npm run docs [-- --check]`: writes the generated parts of README files and of docs/, or says which are not current. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { generatedDocuments } from './docs/documents.ts';

const root = join(import.meta.dirname, '..');
const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
const stale = (await generatedDocuments(root)).filter(({ present, wanted }) => present !== wanted);

for (const { path, wanted } of stale) {
  if (values.check) console.error(`${path} is not current; run: npm run docs`);
  else {
    await writeFile(join(root, path), wanted);
    console.log(`wrote ${path}`);
  }
}
if (values.check && stale.length > 0) process.exitCode = 1;
