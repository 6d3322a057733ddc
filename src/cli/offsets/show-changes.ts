import type { Json, Position, PositionText } from '../../api/index.ts';
import { columns } from '../columns.ts';
import type { CliIo } from '../io.ts';
import { grouped } from '../numbers.ts';
import { printable } from '../printable.ts';
import type { Change } from './changes.ts';
import type { OffsetsState } from './offsets-state.ts';
import { openSourceTools, type SourceTools } from './source-tools.ts';

interface Shown {
  readonly lines: readonly string[];
  readonly json: readonly object[];
}

type Describe = (partition: string, position: Position) => PositionText | null;

/** Changes in the words of people: files by path and byte. */
export async function changeLines(
  state: OffsetsState,
  changes: readonly Change[],
  { env, heads }: { readonly env: CliIo['env']; readonly heads: readonly [from: string, to: string] },
): Promise<Shown> {
  const describers = new Map<string, Describe>();
  const rows: string[][] = [];
  const json: object[] = [];
  for (const { entry, from, note } of changes) {
    const name = `${entry.pipeline}/${entry.leg}`;
    if (entry.kind === 'source' && !describers.has(name)) describers.set(name, await describerOf(state, entry, env));
    const describe: Describe = describers.get(name) ?? (() => null);
    const { partition } = entry;
    const text = (position: Position | null): PositionText | null =>
      position === null || entry.kind === 'sink' ? null : describe(partition as string, position);
    const place = entry.kind === 'sink' ? `${entry.topic}/${partition}` : (text(entry.position) ?? text(from))?.place;
    rows.push(
      [
        name,
        place ?? String(partition),
        valueOf(from, text(from)),
        valueOf(entry.position, text(entry.position)),
        note ?? '',
      ].map(printable),
    );
    const { position: to, ...leg } = entry;
    json.push({ ...leg, ...(place === undefined ? {} : { place }), from, to, note });
  }
  return { lines: rows.length === 0 ? [] : [...table(rows, heads), ''], json };
}

function table(rows: readonly (readonly string[])[], [from, to]: readonly [string, string]): string[] {
  return columns(
    [
      ['leg', 'left'],
      ['place', 'left'],
      [from, 'right'],
      [to, 'right'],
      ['', 'left'],
    ],
    rows,
  );
}

async function describerOf(
  state: OffsetsState,
  leg: { readonly pipeline: string; readonly leg: string },
  env: NodeJS.ProcessEnv,
): Promise<Describe> {
  const found = await openSourceTools(state.plan, leg, env).catch((): SourceTools | null => null);
  if (found === null) return () => null;
  const prefix = state.prefixOf(leg.pipeline, leg.leg);
  return (partition, position) =>
    found.tools.describe(partition.startsWith(prefix) ? partition.slice(prefix.length) : partition, position);
}

function valueOf(position: Json, text: PositionText | null): string {
  if (position === null) return '-';
  const offset = typeof position === 'number' ? position : (text?.offset ?? null);
  return offset === null ? JSON.stringify(position).slice(0, 60) : grouped(offset);
}
