import { endServerRun } from './server-run.ts';

/** Jest's globalTeardown, which wants a default export. */
export default async function endServers(): Promise<void> {
  const skipped = await endServerRun();
  if (skipped.length > 0)
    console.warn(`\nSkipped ${skipped.length} suites with real servers:\n  ${skipped.join('\n  ')}`);
}
