/** `npm run prove:main`: what Sluice promises on the embedded log, shown at full size. `--help` names the options. */
import { proveLines, variants } from './prove/lines.ts';
import { proveMemory } from './prove/memory.ts';
import { provePosts } from './prove/posts.ts';
import { runParts } from './prove/run-parts.ts';
import { proveTail } from './prove/tail.ts';

process.exitCode = await runParts({
  name: 'prove:main',
  linesHelp:
    'lines of the file parts (1000000); a tenth is posted, ten times as many are generated, a 500th is the number of tail sequences',
  kills: 20,
  parts: [
    { name: 'lines', share: 1, prove: (proof) => proveLines(proof, variants.bySource) },
    { name: 'lines-keyed', share: 1, prove: (proof) => proveLines(proof, variants.byKey) },
    { name: 'lines-batch', share: 1, prove: (proof) => proveLines(proof, variants.byBatch) },
    { name: 'posts', share: 1 / 10, prove: (proof) => provePosts(proof, false) },
    { name: 'posts-keyed', share: 1 / 10, prove: (proof) => provePosts(proof, true) },
    { name: 'tail', share: 1 / 500, prove: proveTail },
    { name: 'memory', share: 10, prove: proveMemory },
  ],
});
