import type { OptionProblem } from 'sluice/api';
import { clientAuthProblems, clientHeaderProblems, parseCron, pinnedTlsProblems } from 'sluice/toolkit';
import { applicationFile, isPython } from './application.ts';
import type { SinkOptions } from './options.ts';

const TARGETS = ['standalone', 'livy', 'spark_submit'] as const;
/** They say which batch it is, where it runs, and that nobody but the hub starts it again. */
const OWN_PROPERTIES = ['spark.app.name', 'spark.master', 'spark.submit.deployMode', 'spark.driver.supervise'];

/** With these a JVM loads agents and runs commands: that is for whoever runs the cluster, in `spark-defaults.conf`. */
const JAVA_PROPERTIES = /^spark\.(?:driver|executor|yarn\.am)\.(?:extra|default)JavaOptions$/;
/** The same in the environment, and what loads libraries into any program. */
const JAVA_VARIABLES = /^(?:_JAVA_OPTIONS|JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS|SPARK_\w*OPTS|(?:LD|DYLD)_\w+)$/;

/** What the schema cannot say. */
export function findProblems(options: SinkOptions): readonly OptionProblem[] {
  return [
    ...targetProblems(options),
    ...applicationProblems(options),
    ...propertyProblems(options),
    ...rangeProblems(options),
    ...httpProblems(options),
  ];
}

function targetProblems(options: SinkOptions): OptionProblem[] {
  const given = TARGETS.filter((target) => options[target] !== undefined);
  if (given.length === 0)
    return [{ path: [], message: 'where jobs run is missing: give `standalone`, `livy` or `spark_submit`' }];
  const [, second] = given;
  if (second !== undefined)
    return [{ path: [second], message: `\`${given[0]!}\` says already where jobs run; leave one of them out` }];
  const { spark_submit: submit, livy, environment } = options;
  if (submit?.master.startsWith('spark://') === true && submit.deploy_mode === 'cluster') {
    const message = 'spark-submit does not tell how a driver in a standalone cluster ended; use `standalone`';
    return [{ path: ['spark_submit', 'deploy_mode'], message }];
  }
  if (submit?.master.startsWith('local') === true && submit.deploy_mode === 'cluster')
    return [{ path: ['spark_submit', 'deploy_mode'], message: 'a local master has no cluster for the driver' }];
  if (submit?.master === 'yarn' && submit.deploy_mode === 'cluster' && submit.yarn_command === undefined) {
    const message = 'an application in a YARN cluster is ended by `yarn`: give `yarn_command`';
    return [{ path: ['spark_submit'], message }];
  }
  if (livy !== undefined && Object.keys(environment).length > 0) {
    const message = 'Livy passes no environment on; use properties such as `spark.yarn.appMasterEnv.NAME`';
    return [{ path: ['environment'], message }];
  }
  return [];
}

function applicationProblems({ application, standalone }: SinkOptions): OptionProblem[] {
  const { path, url } = application;
  if ((path === undefined) === (url === undefined))
    return [{ path: ['application'], message: 'the application is one of `path` and `url`' }];
  const file = applicationFile(application);
  const python = isPython(file);
  if (!python && application.class === undefined)
    return [{ path: ['application'], message: 'the main class of the jar is missing: give `class`' }];
  if (python && application.class !== undefined)
    return [{ path: ['application', 'class'], message: 'a Python application has no class' }];
  if (python && standalone !== undefined && path === undefined) {
    const message = 'a standalone cluster runs Python from a path that its workers have: use `path`';
    return [{ path: ['application', 'url'], message }];
  }
  return [];
}

function propertyProblems({ properties, environment }: SinkOptions): OptionProblem[] {
  const problems = (option: string, names: readonly string[], why: string): OptionProblem[] =>
    names.map((name) => ({ path: [option, name], message: `\`${name}\` ${why}` }));
  const names = Object.keys(properties);
  const java =
    'is not open to pipelines, since Java loads agents and runs commands by it; set it where Spark is installed';
  return [
    ...problems(
      'properties',
      names.filter((name) => OWN_PROPERTIES.includes(name)),
      'is set by the sink itself',
    ),
    ...problems(
      'properties',
      names.filter((name) => JAVA_PROPERTIES.test(name)),
      java,
    ),
    ...problems(
      'environment',
      Object.keys(environment).filter((name) => JAVA_VARIABLES.test(name)),
      java,
    ),
  ];
}

function rangeProblems({ range }: SinkOptions): OptionProblem[] {
  const fault = range.cron === undefined ? null : parseCron(range.cron);
  return typeof fault === 'string' ? [{ path: ['range', 'cron'], message: `\`cron\`: ${fault}` }] : [];
}

function httpProblems({ standalone, livy }: SinkOptions): OptionProblem[] {
  return Object.entries({ standalone, livy }).flatMap(([name, target]) => {
    if (target === undefined) return [];
    const { auth, tls, headers } = target;
    const problems = [
      ...(auth === undefined ? [] : clientAuthProblems(auth)),
      ...(tls === undefined ? [] : pinnedTlsProblems(tls, ['tls'])),
      ...clientHeaderProblems(headers),
    ];
    return problems.map(({ path, message }) => ({ path: [name, ...path], message }));
  });
}
