import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { endWithThisProcess } from '../../ending.ts';
import { install, prepared } from './prepared.ts';

const clients = join(import.meta.dirname, '..', 'clients');
/** Some clients never end by themselves after a handshake that failed. */
const LONGEST_MS = 180_000;

/** The Go logger of the fluentd project, built from the module proxy. */
export function goForward(): Promise<string> {
  return prepared('forward-go-1.10.2', async (folder) => {
    await cp(join(clients, 'forward-go'), folder, { recursive: true });
    await install('go', ['build', '-trimpath', '-o', 'forward', '.'], { cwd: folder });
  });
}

/** Packages of PyPI for `python3`, in a folder of their own: `PYTHONPATH` names it. */
export function pythonPackages(name: string, packages: readonly string[]): Promise<string> {
  return prepared(name, (folder) =>
    install('python3', ['-m', 'pip', 'install', '--quiet', '--target', folder, ...packages], { cwd: folder }),
  );
}

/** Unpacked beside the system, not installed: packages of Debian that conflict with what is there, or need rights. */
export function debianPackages(name: string, packages: readonly string[]): Promise<string> {
  return prepared(name, async (folder) => {
    await install('apt-get', ['download', ...packages], { cwd: folder });
    await install('sh', ['-c', 'for package in *.deb; do dpkg -x "$package" root || exit; done'], { cwd: folder });
  });
}

/** A script of `clients/` by Python, with packages. */
export function python(script: string, parameters: readonly string[], packages: string): Promise<string> {
  return program('python3', [join(clients, script), ...parameters], { PYTHONPATH: packages });
}

/** Runs it to its end; resolves with what it printed, rejects with what it complained of. */
export async function program(
  command: string,
  parameters: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const child = spawn(command, parameters, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  endWithThisProcess(child);
  const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST_MS);
  let [output, complaint] = ['', ''];
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (complaint += bytes.toString()));
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  clearTimeout(timer);
  if (code === 0) return output;
  throw new Error(`${command} ${parameters.join(' ')} ended with ${code ?? signal}: ${complaint.slice(-500)}`);
}
