import { dirname, resolve, sep } from 'node:path';
import type { ListenAddress } from '../api/index.ts';
import { formatListenAddress, parseListenAddress } from './listen-address.ts';
import type { HubDraft } from './load-hub-file.ts';
import type { LegDraft } from './load-leg.ts';
import { whereIs, type PipelineDraft } from './pipeline-draft.ts';
import type { ProblemCode, ProblemList, ValuePath } from './problems.ts';
import { own, plainSchema } from './schema.ts';

/** What a leg claims for itself alone. */
interface Claim {
  readonly draft: PipelineDraft;
  readonly path: ValuePath;
  readonly kind: 'listen' | 'folder' | 'other';
  readonly what: string;
}

/** Reports listeners of one address, sinks of one folder, and whatever else two connectors would fight over. */
export function checkResources(
  drafts: readonly PipelineDraft[],
  hub: HubDraft,
  { problems, cwd }: { problems: ProblemList; cwd: string },
): void {
  const claims = drafts.flatMap((draft) => draft.legs.flatMap((leg) => claimsOf(draft, leg)));
  for (const [index, claim] of claims.entries()) {
    const report = (code: ProblemCode, message: string): void => {
      problems.add(claim.draft.file, claim.path, { code, message });
    };
    const first = claims.slice(0, index).find((other) => conflicts(other, claim));
    if (first !== undefined) {
      const place = whereIs(first.draft, first.path, cwd);
      report(CODES[claim.kind], conflictMessage(claim, first, place));
    }
    checkAgainstHub(claim, hub, report);
  }
}

const CODES: Readonly<Record<Claim['kind'], ProblemCode>> = {
  listen: 'CONFIG_ADDRESS_CONFLICT',
  folder: 'CONFIG_FOLDER_CONFLICT',
  other: 'CONFIG_RESOURCE_CONFLICT',
};

function claimsOf(draft: PipelineDraft, { definition, preview, path, entry }: LegDraft): Claim[] {
  if (definition === null || preview === null || entry.connector === null) return [];
  const baseDir = dirname(draft.file.file);
  return (definition.resources?.(preview as never) ?? []).flatMap((resource): Claim[] => {
    // What a reference stands for is not known yet.
    if (resource.includes('${')) return [];
    const [word = '', ...rest] = resource.split(' ');
    const kind = word === 'listen' || word === 'folder' ? word : 'other';
    const text = rest.join(' ');
    const what = kind === 'folder' ? resolve(baseDir, text) : kind === 'listen' ? text : resource;
    return [{ draft, kind, what, path: [...path, definition.name, ...optionBehind(definition, preview, kind)] }];
  });
}

/** The option that such a claim comes from, as far as it can be told. */
function optionBehind(definition: NonNullable<LegDraft['definition']>, preview: object, kind: Claim['kind']): string[] {
  const formats = { listen: ['listen-address'], folder: ['template', 'path'], other: [] }[kind] as readonly string[];
  const properties = plainSchema(definition.options).properties ?? {};
  const options = Object.entries(properties).filter(
    ([name, { format = '' }]) =>
      formats.includes(format) && own(preview as Record<string, unknown>, name) !== undefined,
  );
  return options.length === 1 ? [options[0]![0]] : [];
}

function conflicts(one: Claim, other: Claim): boolean {
  if (one.kind !== other.kind) return false;
  if (one.kind === 'folder') return contains(one.what, other.what) || contains(other.what, one.what);
  if (one.kind === 'other') return one.what === other.what;
  return sameAddress(parseListenAddress(one.what), parseListenAddress(other.what));
}

function conflictMessage({ kind, what }: Claim, first: Claim, place: string): string {
  if (kind === 'listen') return `${what} is listened on already (${place}); choose another port`;
  if (kind === 'other') return `\`${what}\` is taken already (${place})`;
  const relation =
    what === first.what
      ? 'is written'
      : contains(first.what, what)
        ? 'lies in a folder that is written'
        : 'holds a folder that is written';
  return `the folder ${what} ${relation} by another sink (${place}); choose another folder`;
}

function checkAgainstHub(
  { kind, what }: Claim,
  { plan }: HubDraft,
  report: (code: ProblemCode, message: string) => void,
): void {
  if (kind === 'listen' && plan.api !== null && sameAddress(parseListenAddress(what), plan.api)) {
    const api = formatListenAddress(plan.api);
    report('CONFIG_ADDRESS_CONFLICT', `the API of the hub listens on ${api}; choose another port, or change \`api\``);
  }
  if (kind === 'folder' && contains(plan.dataDir, what))
    report('CONFIG_FOLDER_CONFLICT', `the folder ${what} belongs to the hub’s \`data_dir\`; choose another folder`);
}

function contains(folder: string, inner: string): boolean {
  return inner === folder || inner.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** Port 0 takes a free one; an address for all interfaces meets every other. */
function sameAddress(one: ListenAddress | null, other: ListenAddress | null): boolean {
  if (one === null || other === null) return false;
  if (one.port !== other.port || one.port === 0) return false;
  const [first, second] = [hostOf(one), hostOf(other)];
  return first === second || first === 'any' || second === 'any';
}

function hostOf({ host }: ListenAddress): string {
  const lower = host.toLowerCase();
  if (lower === '0.0.0.0' || lower === '::') return 'any';
  return lower === 'localhost' ? '127.0.0.1' : lower;
}
