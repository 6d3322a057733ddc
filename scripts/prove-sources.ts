/** `npm run prove:sources`: what the sources promise, shown with clients that others wrote, under kills, outages and bad input, as `docs/sources.md` shows it. */
import { runRows } from './prove/rows/run-rows.ts';
import { rows } from './prove/sources/rows.ts';

process.exitCode = await runRows({ name: 'prove:sources', page: 'sources.md', rows });
