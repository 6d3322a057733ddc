import { runProof } from './support/run-proof.ts';

/** The proof in small: `npm run prove:main` runs it at full size. Without Java the segments are not judged. */
test('kills lose nothing and double nothing', async () => {
  const parts = ['lines', 'lines-keyed', 'posts', 'posts-keyed'].flatMap((name) => ['--only', name]);
  const last = await runProof('main', ['--lines', '20000', '--kills', '4', '--seed', '20261124', ...parts]);
  expect(last).toMatch(/^lost=0 duplicated=0 rows=\d+ failed=0$/);
}, 90_000);
