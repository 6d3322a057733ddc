import { SluiceError } from 'sluice/api';
import type { EndpointAnswer } from 'sluice/toolkit';
import { readError, shortened } from './update-answer.ts';
import { pathOf, type Solr } from './target.ts';

/** A field that a collection must have, as options say it. */
interface WantedField {
  readonly type: string;
  readonly multi_valued?: boolean;
  readonly indexed?: boolean;
  readonly stored?: boolean;
  readonly doc_values?: boolean;
}

export interface Demands {
  readonly idField: string;
  readonly fields: Readonly<Record<string, WantedField>>;
  readonly createsFields: boolean;
  /** Names that Solr needs for what is asked of it. */
  readonly needs: readonly string[];
  /** Null: one that tells what it refuses is looked for. */
  readonly chain: string | null;
  readonly comparesVersions: boolean;
}

export interface CollectionFacts {
  /** What `update.chain` says; null for what the collection does by itself. */
  readonly chain: string | null;
  /** It takes what it can of a request, and names the rest. */
  readonly isTolerant: boolean;
}

interface SchemaAnswer {
  readonly schema?: {
    readonly uniqueKey?: string;
    readonly fields?: readonly { readonly name: string; readonly type: string }[];
    readonly dynamicFields?: readonly { readonly name: string; readonly type: string }[];
  };
}

interface Chain {
  readonly name?: string;
  readonly default?: boolean | string;
  readonly ''?: readonly { readonly class?: string }[];
}

/** Looks whether a collection, or a core, can take the documents, creates fields that are missing where that is wanted, and finds the way they take. Throws what keeps them out. */
export async function findFacts(
  solr: Solr,
  name: string,
  demands: Demands,
  signal: AbortSignal,
): Promise<CollectionFacts> {
  await checkSchema(solr, name, demands, signal);
  return findChain(solr, name, demands, signal);
}

async function checkSchema(solr: Solr, name: string, demands: Demands, signal: AbortSignal): Promise<void> {
  const { idField, fields, needs, createsFields } = demands;
  const answer = await ask(solr, `${pathOf(name)}/schema`, signal);
  const isOptional = Object.keys(fields).length === 0 && needs.length === 0;
  // Who may write need not be one who may look.
  if (answer.status === 403 && isOptional) return;
  if (answer.status !== 200) throw refusalOf(answer, `checking the schema of ${JSON.stringify(name)}`);
  const { uniqueKey, fields: found = [], dynamicFields = [] } = (parsed(answer) as SchemaAnswer).schema ?? {};
  const doing = `checking the schema of ${JSON.stringify(name)}`;
  if (uniqueKey !== idField)
    throw blocked(
      `${doing}: its unique key is ${JSON.stringify(uniqueKey ?? 'none')}, and \`id_field\` is "${idField}"`,
    );
  const typeOf = (field: string): string | undefined =>
    found.find((each) => each.name === field)?.type ?? dynamicFields.find((each) => matches(each.name, field))?.type;
  for (const [field, { type }] of Object.entries(fields)) {
    const has = typeOf(field);
    if (has !== undefined && has !== type)
      throw blocked(`${doing}: "${field}" is of type ${has}, and \`schema\` says ${type}`);
  }
  const lacks = needs.filter((field) => typeOf(field) === undefined);
  if (lacks.length > 0)
    throw blocked(
      `${doing}: ${listed(lacks)} missing, which these options need; add ${lacks.length === 1 ? 'it' : 'them'}`,
    );
  const missing = Object.entries(fields).filter(([field]) => typeOf(field) === undefined);
  if (missing.length === 0) return;
  if (!createsFields)
    throw blocked(
      `${doing}: ${listed(missing.map(([field]) => field))} missing; create them, or let \`create_fields\` do it`,
    );
  await createFields(solr, name, missing, signal);
}

async function createFields(
  solr: Solr,
  name: string,
  missing: readonly (readonly [string, WantedField])[],
  signal: AbortSignal,
): Promise<void> {
  const commands = missing.map(
    ([field, { type, multi_valued: multiValued, indexed, stored, doc_values: docValues }]) => ({
      name: field,
      type,
      ...(multiValued === undefined ? {} : { multiValued }),
      ...(indexed === undefined ? {} : { indexed }),
      ...(stored === undefined ? {} : { stored }),
      ...(docValues === undefined ? {} : { docValues }),
    }),
  );
  const answer = await solr.ask(
    {
      method: 'POST',
      path: `${pathOf(name)}/schema`,
      query: { wt: 'json' },
      body: Buffer.from(JSON.stringify({ 'add-field': commands })),
      headers: { 'content-type': 'application/json' },
    },
    signal,
  );
  const doing = `creating fields of ${JSON.stringify(name)}`;
  if (answer.status === 200) return;
  const { message } = readError(answer.bytes);
  // Another hub was faster.
  if (answer.status === 400 && message.includes('already exists') && !message.includes('not found')) return;
  throw refusalOf(answer, doing);
}

const PLAIN = ['TolerantUpdateProcessor', 'LogUpdateProcessor', 'DistributedUpdateProcessor', 'RunUpdateProcessor'];

async function findChain(solr: Solr, name: string, demands: Demands, signal: AbortSignal): Promise<CollectionFacts> {
  const { chain: wanted, comparesVersions } = demands;
  const answer = await ask(solr, `${pathOf(name)}/config/updateRequestProcessorChain`, signal);
  const doing = `looking at the update chains of ${JSON.stringify(name)}`;
  if (answer.status !== 200) {
    // Without a look at it documents go the way that is asked for, and refusals are found by halves.
    if (answer.status === 401 || answer.status >= 500) throw refusalOf(answer, doing);
    return { chain: wanted, isTolerant: false };
  }
  const { config } = parsed(answer) as { config?: { updateRequestProcessorChain?: readonly Chain[] } };
  const chains = config?.updateRequestProcessorChain ?? [];
  const standard = chains.find((chain) => String(chain.default) === 'true');
  const used = wanted === null ? standard : chains.find((chain) => chain.name === wanted);
  if (wanted !== null && used === undefined) throw blocked(`${doing}: there is none of the name "${wanted}"`);
  const processors = used === undefined ? [] : classesOf(used);
  if (comparesVersions && !processors.includes('DocBasedVersionConstraintsProcessor'))
    throw blocked(
      `${doing}: ${wanted === null ? 'the default one' : `"${wanted}"`} has no DocBasedVersionConstraintsProcessor, so nothing would compare versions; see \`update_chain\``,
    );
  if (used !== undefined) return { chain: wanted, isTolerant: processors.includes('TolerantUpdateProcessor') };
  const tolerant = chains.find((chain) => {
    const classes = classesOf(chain);
    return classes.includes('TolerantUpdateProcessor') && classes.every((each) => PLAIN.includes(each));
  });
  return { chain: tolerant?.name ?? null, isTolerant: tolerant?.name !== undefined };
}

function classesOf(chain: Chain): string[] {
  return (chain[''] ?? []).map(({ class: name = '' }) => name.replace(/^.*\./, '').replace(/Factory$/, ''));
}

function ask(solr: Solr, path: string, signal: AbortSignal): Promise<EndpointAnswer> {
  return solr.ask({ method: 'GET', path, query: { wt: 'json' } }, signal);
}

function refusalOf({ status, bytes }: EndpointAnswer, doing: string): SluiceError {
  const { message } = readError(bytes);
  const what = `${doing}: HTTP ${status}${message === '' ? '' : ` ${shortened(message)}`}`;
  if (status >= 500 || status === 429) return new SluiceError('SINK_UNAVAILABLE', what, { retryable: true });
  const remedy =
    status === 401
      ? '; check `auth`'
      : status === 404
        ? '; check `endpoints` with their path, and that the collection or the core is there'
        : '';
  return blocked(`${what}${remedy}`);
}

function parsed({ bytes, doing }: EndpointAnswer): object {
  try {
    const value: unknown = JSON.parse(bytes.toString());
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Said below.
  }
  throw new SluiceError('SINK_UNAVAILABLE', `${doing}: the answer is no JSON object`, { retryable: true });
}

/** Dynamic fields have one `*`, at the beginning or at the end. */
function matches(pattern: string, field: string): boolean {
  return pattern.startsWith('*') ? field.endsWith(pattern.slice(1)) : field.startsWith(pattern.replace(/\*$/, ''));
}

function listed(names: readonly string[]): string {
  const quoted = names.map((name) => `"${name}"`);
  return quoted.length === 1 ? `the field ${quoted[0]!} is` : `the fields ${quoted.join(', ')} are`;
}

function blocked(message: string): SluiceError {
  return new SluiceError('SINK_BLOCKED', message);
}
