/** `npm run prove:sinks`: what the sinks promise, shown on real servers under kills, restarts, lost leaders and poison, as `docs/sinks.md` shows it. */
import { runRows } from './prove/rows/run-rows.ts';
import { rows } from './prove/sinks/rows.ts';

process.exitCode = await runRows({ name: 'prove:sinks', page: 'sinks.md', rows });
