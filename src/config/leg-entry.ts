import type { ConnectorDefinition, Json } from '../api/index.ts';
import { isObject, own, plainSchema, type JsonObject, type Schema } from './schema.ts';
import { sinkWords, sourceWords } from './pipeline-schema.ts';
import type { PlaceAt, ProblemCode, ValuePath } from './problems.ts';
import { didYouMean, suggest } from './suggest.ts';

type Kind = ConnectorDefinition['kind'];

interface EntryFault {
  /** Below the entry. */
  readonly path: ValuePath;
  readonly code: ProblemCode;
  readonly message: string;
  readonly at: PlaceAt;
}

/** An entry of `sources` or `sinks`, taken apart. */
export interface LegEntry {
  /** The key that names the connector; null when none can be told. */
  readonly connector: string | null;
  readonly options: Json;
  /** What the hub does for it. */
  readonly words: JsonObject;
  readonly faults: readonly EntryFault[];
}

export function wordsSchema(kind: Kind): Schema {
  return plainSchema(kind === 'source' ? sourceWords : sinkWords);
}

/** Exactly one key is not one of the hub's words: the connector. */
export function readEntry(kind: Kind, entry: Json, connectors: readonly string[]): LegEntry {
  if (!isObject(entry)) return notAMapping(kind, entry, connectors);
  const faults: EntryFault[] = [];
  const words = wordsSchema(kind);
  const others = Object.keys(entry).filter((key) => own(words.properties, key) === undefined);
  const connector = connectorAmong(others, entry, connectors, Object.keys(words.properties ?? {}));
  if (connector === null) {
    const message = `this ${kind} names no connector; there are ${listed(connectors)}`;
    faults.push({ path: [], at: 'key', code: 'CONFIG_NO_CONNECTOR', message });
  } else if (!connectors.includes(connector)) {
    const meant = didYouMean(connector, connectors) || `; there are ${listed(connectors)}`;
    const message = `no ${kind} connector \`${connector}\`${meant}`;
    faults.push({ path: [connector], at: 'key', code: 'CONFIG_UNKNOWN_CONNECTOR', message });
  }
  for (const key of others) if (key !== connector) faults.push(strayKey(kind, key, connector, connectors));
  return {
    connector,
    options: connector === null ? {} : (entry[connector] ?? {}),
    words: Object.fromEntries(Object.entries(entry).filter(([key]) => !others.includes(key))),
    faults,
  };
}

/** Of the keys that are no words: a known connector; else the one that is most like one, and least like a word. */
function connectorAmong(
  keys: readonly string[],
  entry: JsonObject,
  connectors: readonly string[],
  words: readonly string[],
): string | null {
  const isMapping = (key: string): boolean => isObject(entry[key]);
  return (
    keys.find((key) => connectors.includes(key)) ??
    keys.find((key) => suggest(key, connectors) !== null) ??
    keys.find((key) => suggest(key, words) === null && isMapping(key)) ??
    keys.find((key) => suggest(key, words) === null) ??
    null
  );
}

function strayKey(kind: Kind, key: string, connector: string | null, connectors: readonly string[]): EntryFault {
  const fault = (code: ProblemCode, message: string): EntryFault => ({ path: [key], at: 'key', code, message });
  const other = kind === 'source' ? 'sink' : 'source';
  if (connectors.includes(key))
    return fault(
      'CONFIG_SEVERAL_CONNECTORS',
      `a ${kind} has one connector, and this one has \`${connector ?? ''}\` already; begin another entry with \`- ${key}:\``,
    );
  if (own(wordsSchema(other).properties, key) !== undefined)
    return fault('CONFIG_UNKNOWN_OPTION', `\`${key}\` is a word of ${other}s; a ${kind} has no option \`${key}\``);
  const words = Object.keys(wordsSchema(kind).properties ?? {});
  const remedy =
    didYouMean(key, words) || (connector === null ? '' : `; options of ${connector} go under \`${connector}:\``);
  return fault('CONFIG_UNKNOWN_OPTION', `a ${kind} has no option \`${key}\`${remedy}`);
}

function notAMapping(kind: Kind, entry: Json, connectors: readonly string[]): LegEntry {
  const isName = typeof entry === 'string' && connectors.includes(entry);
  const example = isName ? `- ${entry}: {}` : `- ${connectors[0] ?? 'file'}: { … }`;
  const message = `a ${kind} is a mapping; write \`${example}\``;
  return {
    connector: null,
    options: {},
    words: {},
    faults: [{ path: [], at: 'value', code: 'CONFIG_WRONG_TYPE', message }],
  };
}

function listed(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ');
}
