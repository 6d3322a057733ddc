import { extname } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ConnectorDefinition } from '../api/index.ts';

type Kind = ConnectorDefinition['kind'];

export interface Registry {
  /** Null when there is none of this kind and name. */
  find(kind: Kind, name: string): Promise<ConnectorDefinition | null>;
  /** Sorted. Loads nothing. */
  names(kind: Kind): Promise<readonly string[]>;
  /** Every definition there is; loads them all. */
  all(): Promise<readonly ConnectorDefinition[]>;
}

/** Loads the definitions in a folder of connectors. */
export type LoadFolder = (folder: string) => Promise<readonly ConnectorDefinition[]>;

/** Which built-in connector lies in which folder, so that a name can be looked up without loading anything. A test holds it. */
export const BUILT_INS: Readonly<Record<Kind, Readonly<Record<string, string>>>> = {
  source: {
    directory: 'file',
    file: 'file',
    fluentd: 'fluentd',
    generate: 'generate',
    http: 'http',
    kafka: 'kafka',
    socket: 'socket',
    stdin: 'stdin',
    syslog: 'syslog',
  },
  sink: {
    console: 'console',
    elasticsearch: 'elasticsearch',
    file: 'file',
    kafka: 'kafka',
    opensearch: 'elasticsearch',
    solr: 'solr',
    spark: 'spark',
    spark_streaming: 'spark',
  },
};

export function createRegistry(loadFolder: LoadFolder = loadBuiltIn, env: NodeJS.ProcessEnv = process.env): Registry {
  const trial = trialDefinitions(env);
  const loaded = new Map<string, Promise<readonly ConnectorDefinition[]>>();
  const load = (folder: string): Promise<readonly ConnectorDefinition[]> => {
    let definitions = loaded.get(folder);
    if (definitions === undefined) loaded.set(folder, (definitions = loadFolder(folder)));
    return definitions;
  };
  return {
    async find(kind, name) {
      const onTrial = (await trial()).find((definition) => definition.kind === kind && definition.name === name);
      if (onTrial !== undefined) return onTrial;
      const folders = BUILT_INS[kind];
      if (!Object.hasOwn(folders, name)) return null;
      const definitions = await load(folders[name]!);
      return definitions.find((definition) => definition.kind === kind && definition.name === name) ?? null;
    },
    names: (kind) => Promise.resolve(Object.keys(BUILT_INS[kind]).sort()),
    async all() {
      const folders = new Set(Object.values(BUILT_INS).flatMap((names) => Object.values(names)));
      return (await Promise.all([...folders].sort().map(load))).flat();
    },
  };
}

/** For tests of delivery only: with `SLUICE_TESTING=1` the definitions of the module `SLUICE_TEST_CONNECTORS` stand in for built-in ones of their names. */
function trialDefinitions({
  SLUICE_TESTING,
  SLUICE_TEST_CONNECTORS: file,
}: NodeJS.ProcessEnv): () => ReturnType<LoadFolder> {
  if (SLUICE_TESTING !== '1' || file === undefined || file === '') return () => Promise.resolve([]);
  let loading: ReturnType<LoadFolder> | null = null;
  return () => (loading ??= import(pathToFileURL(file).href).then((module) => (module as ConnectorModule).definitions));
}

interface ConnectorModule {
  readonly definitions: readonly ConnectorDefinition[];
}

/** The layout is the same in a checkout and in the built package; only the ending differs. */
async function loadBuiltIn(folder: string): Promise<readonly ConnectorDefinition[]> {
  const entry = new URL(`../../connectors/${folder}/index${extname(import.meta.url)}`, import.meta.url);
  const module = (await import(entry.href)) as ConnectorModule;
  return module.definitions;
}
