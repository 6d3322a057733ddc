import { dirname } from 'node:path';
import { SluiceError, Type, type Json } from '../api/index.ts';
import { kafkaOptions, kafkaProblems, type KafkaSettings } from '../kafka/index.ts';
import { checkReferences } from './check-texts.ts';
import { convertOptions, previewOptions } from './convert.ts';
import type { LoadContext } from './load-context.ts';
import { maskSecrets } from './mask.ts';
import type { HubPlan, ReferenceRules } from './plan.ts';
import { plainSchema, type JsonObject } from './schema.ts';
import type { YamlFile } from './yaml-file.ts';

/** The hub file is the operator's own: it may refer to everything that the process may read. */
const EVERYTHING: ReferenceRules = { env: ['*'], file: ['/'] };

const definition = { options: Type.Object(kafkaOptions, { additionalProperties: false }) };

/** What the schema of `kafka:` cannot say. The value is a mapping; it may be wrong in other ways, which were reported before. */
export function checkKafka(context: LoadContext, file: YamlFile, value: JsonObject): void {
  const { problems, validate, resolve, references } = context;
  const path = ['kafka'];
  const schema = plainSchema(definition.options);
  const open = { ...context, references: { ...references, references: EVERYTHING } };
  checkReferences(open, { file, path, schema, value });
  if (validate(schema, value).length > 0) return;
  const preview = previewOptions(definition, value, dirname(file.file)) as KafkaSettings;
  for (const problem of kafkaProblems(preview))
    problems.add(file, [...path, ...problem.path], { code: 'CONFIG_OPTION_CONFLICT', message: problem.message });
  if (!resolve) return;
  try {
    convertOptions(definition, value, { ...open.references, baseDir: dirname(file.file) });
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    // Those without a value were reported with their place.
    if (error.code === 'OPTION_INVALID')
      problems.add(file, path, { code: 'CONFIG_BAD_VALUE', message: error.message, at: 'key' });
  }
}

/**
 * What a client is opened with: references resolved, paths absolute, times in milliseconds. It holds secrets: it is made where the client is opened,
 * and neither kept nor printed. Throws `REFERENCE_UNRESOLVED` or `OPTION_INVALID`.
 */
export function kafkaSettings(
  plan: Pick<HubPlan, 'file'> & { readonly kafka: Json },
  env: Readonly<Record<string, string | undefined>>,
): KafkaSettings {
  const context = { references: EVERYTHING, env, baseDir: baseDirOf(plan) };
  return convertOptions(definition, plan.kafka, context) as KafkaSettings;
}

/** The settings without resolving anything, for `plan` and for what is said about the cluster. Nothing in it is secret but `sasl` and `tls`. */
export function kafkaPreview(plan: Pick<HubPlan, 'file'> & { readonly kafka: Json }): KafkaSettings {
  return previewOptions(definition, plan.kafka, baseDirOf(plan)) as KafkaSettings;
}

/** The options as they may be printed. */
export function maskKafka(kafka: Json): Json {
  return maskSecrets(definition, kafka);
}

function baseDirOf({ file }: Pick<HubPlan, 'file'>): string {
  return file === null ? process.cwd() : dirname(file);
}
