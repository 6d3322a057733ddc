import { runProof } from './support/run-proof.ts';
import { serverSuite } from './support/servers.ts';

/** The proof in small, on servers of its own: `npm run prove:kafka` runs it at full size, and what takes longer. Without kcat its part is not judged. */
serverSuite('the proof on Kafka and Elasticsearch', [], () => {
  test('kills, other producers, equal logs, recreated topics and refused documents lose nothing and double nothing', async () => {
    const parts = ['lines', 'foreign', 'two-logs', 'recreated', 'mapping'].flatMap((name) => ['--only', name]);
    const last = await runProof('kafka', ['--lines', '20000', '--kills', '2', '--seed', '20261125', ...parts]);
    expect(last).toMatch(/^lost=0 duplicated=0 rows=\d+ failed=0$/);
  }, 300_000);
});
