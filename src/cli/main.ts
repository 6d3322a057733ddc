#!/usr/bin/env node
import { checkNode } from './check-node.ts';

process.exitCode = checkNode(process.versions.node, process.stderr) ? await runHere() : 1;

async function runHere(): Promise<number> {
  // Not before the version is known to be right: the rest may use what older ones do not have.
  const { runCli } = await import('./program.ts');
  const { stdout, stderr, env } = process;
  // A reader that went away is told to whoever writes, by the callback of the write.
  for (const stream of [stdout, stderr]) stream.on('error', () => undefined);
  return runCli(process.argv.slice(2), { stdout, stderr, env, cwd: process.cwd() });
}
