import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Servers } from '../kafka/servers.ts';
import { fileOf, NumberedLines } from '../numbered-lines.ts';
import { moments, type Proof, type Result } from '../proof.ts';
import { SourceRun } from './source-run.ts';

/** What may be there twice after a kill: in flight, and acknowledged since the last save (docs/delivery.md). */
const WINDOW_BYTES = 2 * 16 * 1024 * 1024;

/** Files that grow into a Kafka topic, the hub killed meanwhile. */
export function proveKilledFiles(
  delivery: 'exactly_once' | 'at_least_once',
): (proof: Proof, servers: Servers) => Promise<Result> {
  return async (proof, servers) => {
    const { folder, lines } = proof;
    const { brokers } = await servers.shared('kafka');
    const name = `sources-kill-${delivery.replaceAll('_', '-')}`;
    const input = new NumberedLines(join(folder, 'hub', 'in'), lines);
    await input.growTo(1);
    const entry = `file: { include: ['in/*.log'] }\n    delivery: ${delivery}`;
    const run = await SourceRun.start({
      folder: join(folder, 'hub'),
      name,
      listeners: { files: () => entry },
      brokers,
    });
    try {
      const stops = moments(proof, lines);
      for (const [index, moment] of stops.entries()) {
        await input.growTo(stops[index + 1] ?? moment);
        while (run.life.alive && (await run.stored()) < moment) await sleep(20);
        await run.killed();
      }
      await input.growTo(lines);
      await run.holdsEach(lines);
      const counted = await run.count({
        expected: lines,
        ...(delivery === 'exactly_once' ? { streamOf: fileOf } : {}),
      });
      const bytes = Math.ceil(counted.duplicated * (input.totalBytes / lines));
      const isAllowed = delivery === 'at_least_once' && bytes <= stops.length * WINDOW_BYTES;
      const again = delivery === 'at_least_once' ? `; ${counted.duplicated} lines again, ${bytes} bytes` : '';
      return {
        expected: lines,
        rows: counted.rows,
        lost: counted.lost,
        duplicated: isAllowed ? 0 : counted.duplicated,
        note: `${stops.length} kills${again}`,
        problems: [
          ...(counted.strange > 0 ? [`${counted.strange} torn or foreign lines`] : []),
          ...(counted.reordered > 0 ? [`${counted.reordered} lines out of order`] : []),
        ],
        unjudged: [],
      };
    } finally {
      await run.end();
    }
  };
}
