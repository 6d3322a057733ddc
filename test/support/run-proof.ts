import { execFile } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

/** Runs `scripts/prove-NAME.ts`. Rejects, with what it printed, unless all was shown, or (3) something could not be judged on this machine; resolves with its last line. */
export function runProof(
  name: 'main' | 'kafka' | 'sources' | 'sinks',
  parameters: readonly string[],
): Promise<string | undefined> {
  const script = join(root, 'scripts', `prove-${name}.ts`);
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      ['-C', 'sluice-source', script, ...parameters],
      { cwd: root },
      (error, stdout, stderr) => {
        const [code, output] = [error?.code ?? 0, stdout + stderr];
        if (code !== 0 && code !== 3) reject(new Error(`exit code ${code}\n${output}`));
        else resolve(output.trimEnd().split('\n').at(-1));
      },
    );
  });
}
