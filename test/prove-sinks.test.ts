import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProof } from './support/run-proof.ts';

/** A row of the proof: `npm run prove:sinks` runs them all. */
test('kills neither lose nor double a record of a file tree by event time', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-prove-sinks-test-'));
  try {
    const last = await runProof('sinks', ['--rows', 'kill-files-embedded', '--state', join(folder, 'state.json')]);
    expect(last).toBe('lost=0 duplicated=0 rows=1 failed=0');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 90_000);
