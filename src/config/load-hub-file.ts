import { availableParallelism } from 'node:os';
import { access } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Json, Static } from '../api/index.ts';
import { refuseReferences } from './check-texts.ts';
import { convertWords } from './convert.ts';
import { hubFileOptions } from './hub-schema.ts';
import { checkKafka } from './hub-kafka.ts';
import { checkOutbound } from './outbound.ts';
import { checkPart, type LoadContext } from './load-context.ts';
import type { HubPlan } from './plan.ts';
import { hasReference } from './references.ts';
import { isObject, own, plainSchema, type JsonObject, type Schema } from './schema.ts';
import { readYamlFile, type YamlFile } from './yaml-file.ts';

const HUB_FILE = 'sluice.yaml';

export interface HubDraft {
  /** Null when there is no hub file and defaults hold. */
  readonly file: YamlFile | null;
  /** Relative patterns start here. */
  readonly baseDir: string;
  readonly patterns: readonly string[];
  readonly plan: Omit<HubPlan, 'pipelines'>;
}

/** Converted but for the options of Kafka, which stay as they are written. */
type HubSettings = Omit<Static<typeof hubFileOptions>, 'kafka'> & { readonly kafka: 'embedded' | JsonObject };

/** Null when the hub file cannot be read. Of one with mistakes what is right counts, so that the pipelines are checked too. */
export async function loadHubFile(
  context: LoadContext,
  { file, cwd }: { file?: string; cwd: string },
): Promise<HubDraft | null> {
  const path = file === undefined ? await findHubFile(cwd) : resolve(cwd, file);
  if (path === null) return draftOf(null, cwd, settingsOf({}, null, cwd));
  const yaml = await readYamlFile(path, context.problems);
  if (yaml === null) return null;
  const value = yaml.value ?? {};
  const part = { file: yaml, path: [], schema: plainSchema(hubFileOptions), value };
  const written = isObject(value) ? own(value, 'kafka') : undefined;
  const kafka = isObject(written) ? written : null;
  const isWithoutReferences = refuseReferences(context, { ...part, value: without(value, 'kafka') });
  const isValid = checkPart(context, { ...part, subject: 'the hub file' }) && isWithoutReferences;
  if (kafka !== null) checkKafka(context, yaml, kafka);
  checkOutbound(context.problems, yaml, value);
  const sound = without(isValid ? value : soundPart(context, part), 'kafka');
  return draftOf(yaml, dirname(path), settingsOf(sound, kafka, dirname(path)));
}

function soundPart({ validate }: LoadContext, { schema, value }: { schema: Schema; value: Json }): Json {
  const isSound = (entry: [string, Json]): boolean =>
    !hasReference(JSON.stringify(entry)) && validate(schema, Object.fromEntries([entry])).length === 0;
  return isObject(value) ? Object.fromEntries(Object.entries(value).filter(isSound)) : {};
}

function without(value: Json, key: string): Json {
  return isObject(value) ? Object.fromEntries(Object.entries(value).filter(([each]) => each !== key)) : value;
}

async function findHubFile(cwd: string): Promise<string | null> {
  const path = join(cwd, HUB_FILE);
  try {
    await access(path);
    return path;
  } catch {
    return null;
  }
}

function settingsOf(value: Json, kafka: JsonObject | null, baseDir: string): HubSettings {
  const settings = convertWords(plainSchema(hubFileOptions), value, baseDir) as Static<typeof hubFileOptions>;
  return { ...settings, kafka: kafka ?? 'embedded' };
}

function draftOf(file: YamlFile | null, baseDir: string, settings: HubSettings): HubDraft {
  const { kafka } = settings;
  return {
    file,
    baseDir,
    patterns: settings.pipelines,
    plan: {
      file: file?.file ?? null,
      kafka: kafka === 'embedded' ? null : kafka,
      dataDir: settings.data_dir,
      group: settings.group,
      host: settings.host ?? null,
      api: settings.api === 'off' ? null : settings.api.listen,
      workers: settings.workers ?? availableParallelism(),
      bufferBytes: settings.buffer_size,
      listenerBytes: settings.listener_memory,
      workerMemoryBytes: settings.worker_memory,
      watchdogMs: settings.watchdog,
      drainMs: settings.drain_timeout,
      references: settings.references,
      outbound: settings.outbound,
    },
  };
}
