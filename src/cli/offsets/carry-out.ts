import { SluiceError } from '../../api/index.ts';
import { audited, type AuditEntry } from '../audit.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { CliIo } from '../io.ts';
import { counted } from '../numbers.ts';
import { jsonLine, printable } from '../printable.ts';
import { writeOut } from '../write-out.ts';
import type { Change, ChangePlan } from './changes.ts';
import { savedChanges } from './entry.ts';
import type { OffsetsState } from './offsets-state.ts';
import { changeLines } from './show-changes.ts';
import { openSourceTools, type SourceTools } from './source-tools.ts';

export interface CarryOutOptions {
  /** As it is called in the audit log. */
  readonly command: string;
  readonly execute: boolean;
  readonly json: boolean;
}

/** Shows what would be changed, and with `execute` does it, unless somebody runs what it is about. */
export async function carryOut(
  state: OffsetsState,
  { changes, left }: ChangePlan,
  { options, io }: { readonly options: CarryOutOptions; readonly io: CliIo },
): Promise<ExitCode> {
  const { command, execute, json } = options;
  const shown = await changeLines(state, changes, { env: io.env, heads: ['from', 'to'] });
  if (execute && changes.length > 0) {
    await assertUnused(state, changes, io);
    await audited({ dataDir: state.dataDir, name: 'offsets-audit.jsonl' }, auditEntry(command, changes), async () => {
      const entries = changes.map(({ entry }) => entry);
      for (const [pipeline, own] of savedChanges(entries, state.view.topics)) await state.change(pipeline, own);
    });
  }
  if (json) {
    await writeOut(io, jsonLine({ executed: execute, changes: shown.json, left }));
    return EXIT.done;
  }
  for (const { what, why } of left) io.stderr.write(`sluice: left out: ${printable(`${what}: ${why}`)}\n`);
  await writeOut(io, [...shown.lines, conclusion(changes.length, execute), ''].join('\n'));
  return EXIT.done;
}

function auditEntry(command: string, changes: readonly Change[]): AuditEntry {
  const what = changes.map(({ entry: { position, ...leg }, from }) => ({ ...leg, from, to: position }));
  return { command, what: { changes: what } };
}

function conclusion(count: number, execute: boolean): string {
  if (count === 0) return 'Everything stands there already: nothing to change.';
  const what = counted(count, 'position');
  return execute ? `${what} changed.` : `${what} would change. This was a dry run: --execute does it.`;
}

/** Locks and groups of the log show most of it; readers of other systems show there. */
async function assertUnused(state: OffsetsState, changes: ChangePlan['changes'], io: CliIo): Promise<void> {
  const sources = new Map(
    changes.flatMap(({ entry: { kind, pipeline, leg } }) =>
      kind === 'source' ? [[`${pipeline}/${leg}`, { pipeline, leg }] as const] : [],
    ),
  );
  for (const [text, leg] of sources) {
    const found = await openSourceTools(state.plan, leg, io.env).catch((): SourceTools | null => null);
    if (found === null) continue;
    const identity = { group: state.plan?.group ?? '', pipeline: leg.pipeline, name: leg.leg };
    const use = await found.tools.inUse?.(found.options, identity, found.context);
    if (use === null || use === undefined) continue;
    throw new SluiceError('KAFKA_REFUSED', `changing where source ${text} stands: ${use}; stop every hub that runs it`);
  }
}
