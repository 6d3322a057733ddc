import { beginServerRun, endServerRun } from './server-run.ts';

/** Jest's globalSetup, which wants a default export. */
export default async function beginServers(): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    // Jest dies of these without its globalTeardown. Whoever sends a second one does not want to wait.
    process.once(signal, () => {
      void endServerRun().finally(() => process.kill(process.pid, signal));
    });
  }
  await beginServerRun();
}
