import { dirname } from 'node:path';
import { SluiceError, type ConnectorDefinition, type Json, type Static } from '../api/index.ts';
import { checkExpressions, checkReferences, refuseReferences } from './check-texts.ts';
import { convertOptions, convertWords, previewOptions } from './convert.ts';
import { readEntry, wordsSchema, type LegEntry } from './leg-entry.ts';
import { checkPart, referencesOf, type LoadContext } from './load-context.ts';
import type { sinkWords, sourceWords } from './pipeline-schema.ts';
import type { ValuePath } from './problems.ts';
import { own, plainSchema } from './schema.ts';
import type { YamlFile } from './yaml-file.ts';

type Kind = ConnectorDefinition['kind'];

/** The hub's words of a source or a sink. */
type LegSettings = Partial<Static<typeof sourceWords> & Static<typeof sinkWords>>;

/** A leg as far as it could be understood. */
export interface LegDraft {
  readonly kind: Kind;
  /** Of the entry in the file. */
  readonly path: ValuePath;
  readonly entry: LegEntry;
  /** Null when it cannot be told. */
  readonly name: string | null;
  /** What stands beside the connector, with defaults; null when it is wrong. */
  readonly settings: LegSettings | null;
  readonly definition: ConnectorDefinition | null;
  /** The options as `resources` and `holes` of the definition want them; null when they are wrong. */
  readonly preview: object | null;
}

export async function loadLeg(
  context: LoadContext,
  file: YamlFile,
  { kind, path, value }: { kind: Kind; path: ValuePath; value: Json },
): Promise<LegDraft> {
  const connectors = await context.registry.names(kind);
  const entry = readEntry(kind, value, connectors);
  for (const fault of entry.faults) context.problems.add(file, [...path, ...fault.path], fault);
  const settings = loadWords(context, file, { kind, path, value: entry.words });
  const { connector } = entry;
  const definition = connector === null ? null : await context.registry.find(kind, connector);
  const preview = definition === null ? null : loadOptions(context, file, { path, entry, definition });
  const name = own(entry.words, 'name') ?? connector;
  return { kind, path, entry, name: typeof name === 'string' ? name : null, settings, definition, preview };
}

function loadWords(
  context: LoadContext,
  file: YamlFile,
  { kind, path, value }: { kind: Kind; path: ValuePath; value: Json },
): LegSettings | null {
  const part = { file, path, schema: wordsSchema(kind), value };
  const isWithoutReferences = refuseReferences(context, part);
  const isValid = checkPart(context, { ...part, subject: `the ${kind}` }) && isWithoutReferences;
  checkExpressions(context, part);
  if (!isValid) return null;
  const settings = convertWords(part.schema, value, dirname(file.file)) as LegSettings;
  if (settings.retry !== undefined && settings.retry.min > settings.retry.max) {
    const message = '`retry.min` is longer than `retry.max`';
    context.problems.add(file, [...path, 'retry', 'min'], { code: 'CONFIG_BAD_DURATION', message });
  }
  return settings;
}

function loadOptions(
  context: LoadContext,
  file: YamlFile,
  { path, entry, definition }: { path: ValuePath; entry: LegEntry; definition: ConnectorDefinition },
): object | null {
  const { name } = definition;
  const part = { file, path: [...path, name], schema: plainSchema(definition.options), value: entry.options };
  const isValid = checkPart(context, { ...part, subject: name });
  checkReferences(context, part);
  checkExpressions(context, part);
  if (!isValid) return null;
  const preview = previewOptions(definition, entry.options, dirname(file.file));
  for (const problem of definition.validate?.(preview as never) ?? [])
    context.problems.add(file, [...part.path, ...problem.path], {
      code: 'CONFIG_OPTION_CONFLICT',
      message: problem.message,
    });
  if (context.resolve) tryValues(context, file, { path: part.path, definition, options: entry.options });
  return preview;
}

/** Does what references stand for fit? Those without a value were reported before. */
function tryValues(
  context: LoadContext,
  file: YamlFile,
  { path, definition, options }: { path: ValuePath; definition: ConnectorDefinition; options: Json },
): void {
  try {
    convertOptions(definition, options, referencesOf(context, file.file));
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    if (error.code !== 'OPTION_INVALID') return;
    context.problems.add(file, path, { code: 'CONFIG_BAD_VALUE', message: error.message, at: 'key' });
  }
}
