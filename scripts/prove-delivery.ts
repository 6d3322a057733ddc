/** `npm run prove:delivery`: the fault matrix, row by row, as `docs/delivery.md` shows it. `--help` names the options. */
import { rows } from './prove/delivery/rows.ts';
import { runRows } from './prove/rows/run-rows.ts';

process.exitCode = await runRows({ name: 'prove:delivery', page: 'delivery.md', rows });
