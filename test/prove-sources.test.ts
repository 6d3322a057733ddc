import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProof } from './support/run-proof.ts';

/** A row of the proof: `npm run prove:sources` runs them all. */
test('kills lose no acknowledged chunk of the forward protocol', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-prove-sources-test-'));
  try {
    const last = await runProof('sources', ['--rows', 'kill-fluentd', '--state', join(folder, 'state.json')]);
    expect(last).toBe('lost=0 duplicated=0 rows=1 failed=0');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 90_000);
