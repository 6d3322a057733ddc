import { runCli } from '../../../src/cli/program.ts';

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line in this process: for commands that start no workers. */
export async function runHere(
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  const text = { stdout: '', stderr: '' };
  const output = (name: keyof typeof text) => ({
    write(piece: string | Uint8Array, written?: (error?: Error | null) => void): boolean {
      text[name] += typeof piece === 'string' ? piece : Buffer.from(piece).toString();
      written?.();
      return true;
    },
  });
  const code = await runCli(args, { stdout: output('stdout'), stderr: output('stderr'), env, cwd });
  return { code, ...text };
}
