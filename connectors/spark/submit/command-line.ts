import type { JobBatch } from 'sluice/api';
import { applicationFile, batchArguments, propertiesOf } from '../application.ts';
import type { SinkOptions } from '../options.ts';

/** What a driver needs of the hub's environment; the rest, secrets of other pipelines among it, is none of its business. */
const PASSED_ON =
  /^(?:PATH|HOME|USER|LOGNAME|LANG|LC_\w+|TZ|TMPDIR|JAVA_\w+|SPARK_\w+|PYSPARK_\w+|PYTHON\w*|HADOOP_\w+|YARN_\w+|HDFS_\w+|KRB5\w*|KUBECONFIG)$/;

/** By these two another life of the hub finds what was started for a batch. */
export function nameArguments(batchId: string): readonly [string, string] {
  return ['--name', batchId];
}

/** One argument each, for no shell. */
export function submitArguments(options: SinkOptions, batch: JobBatch): string[] {
  const { application, spark_submit: submit } = options;
  const { jars, py_files: pyFiles, files } = application;
  return [
    '--master',
    submit!.master,
    '--deploy-mode',
    submit!.deploy_mode,
    ...nameArguments(batch.id),
    ...listArgument('--jars', jars),
    ...listArgument('--py-files', pyFiles),
    ...listArgument('--files', files),
    ...Object.entries(submitProperties(options, batch)).flatMap(([name, value]) => ['--conf', `${name}=${value}`]),
    ...(application.class === undefined ? [] : ['--class', application.class]),
    applicationFile(application),
    ...application.arguments,
    ...batchArguments(batch),
  ];
}

/** A tag of YARN finds what belongs to a batch; the client waits for the end of what runs in a cluster. */
function submitProperties(options: SinkOptions, batch: JobBatch): Record<string, string> {
  const { master, deploy_mode: deployMode } = options.spark_submit!;
  const own: Record<string, string> = {};
  if (master === 'yarn') own['spark.yarn.tags'] = batch.id;
  if (deployMode === 'cluster' && master === 'yarn') own['spark.yarn.submit.waitAppCompletion'] = 'true';
  if (deployMode === 'cluster' && master.startsWith('k8s:'))
    own['spark.kubernetes.submission.waitAppCompletion'] = 'true';
  return { ...propertiesOf(options), ...own };
}

export function childEnvironment(
  environment: Readonly<Record<string, string>>,
  own: NodeJS.ProcessEnv,
): Record<string, string> {
  const passed = Object.entries(own).flatMap(([name, value]) =>
    value === undefined || !PASSED_ON.test(name) ? [] : [[name, value] as const],
  );
  return { ...Object.fromEntries(passed), ...environment };
}

function listArgument(name: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [name, items.join(',')];
}
