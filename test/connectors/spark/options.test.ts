import type { Json } from '../../../src/api/index.ts';
import { definition, optionsOf } from './support/sink.ts';

const submit = { command: '/s', master: 'local[2]' };
const application = { path: 'x.py' };

function problems(options: Json): string[] {
  return (definition.validate?.(optionsOf(options)) ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

test('nothing is wrong with the examples', () => {
  for (const { options } of definition.examples) expect(problems(options as Json)).toEqual([]);
});

test.each<[string, Json, RegExp]>([
  ['no target', { application }, /give `standalone`/],
  ['two targets', { spark_submit: submit, livy: { url: 'http://l' }, application }, /^livy|^spark_submit/],
  [
    'a cluster of its own',
    { spark_submit: { ...submit, master: 'spark://m:7077', deploy_mode: 'cluster' }, application },
    /use `standalone`/,
  ],
  ['a local cluster', { spark_submit: { ...submit, deploy_mode: 'cluster' }, application }, /no cluster/],
  [
    'YARN without yarn',
    { spark_submit: { ...submit, master: 'yarn', deploy_mode: 'cluster' }, application },
    /`yarn_command`/,
  ],
  [
    'Livy with an environment',
    { livy: { url: 'http://l' }, application, environment: { A: 'b' } },
    /passes no environment/,
  ],
  [
    'two applications',
    { spark_submit: submit, application: { path: 'x.py', url: 'hdfs:x.py' } },
    /one of `path` and `url`/,
  ],
  ['a jar without a class', { spark_submit: submit, application: { path: 'x.jar' } }, /give `class`/],
  ['a class of Python', { spark_submit: submit, application: { path: 'x.py', class: 'X' } }, /no class/],
  [
    'Python from elsewhere on a standalone cluster',
    { standalone: { rest: ['http://m'], master: 'spark://m' }, application: { url: 'hdfs://x.py' } },
    /use `path`/,
  ],
  [
    'a property of the sink',
    { spark_submit: submit, application, properties: { 'spark.app.name': 'x' } },
    /set by the sink/,
  ],
  [
    'an option of Java',
    { spark_submit: submit, application, properties: { 'spark.driver.extraJavaOptions': '-XX:OnError=x' } },
    /^properties\.spark\.driver\.extraJavaOptions: .*not open to pipelines/,
  ],
  [
    'an option of Java from the environment',
    { spark_submit: submit, application, environment: { JAVA_TOOL_OPTIONS: '-agentpath:x' } },
    /^environment\.JAVA_TOOL_OPTIONS: .*not open to pipelines/,
  ],
  ['no cron', { spark_submit: submit, application, range: { cron: '61 * * * *' } }, /^range\.cron/],
])('%s is a problem', (_, options, message) => {
  expect(problems(options)).toEqual([expect.stringMatching(message)]);
});

test('by default a batch waits five minutes, with a schedule for that only', () => {
  const policy = (range: Json): object => definition.policy(optionsOf({ spark_submit: submit, application, range }));
  expect(policy({})).toMatchObject({ maxAgeMs: 300_000, cron: null, maxRecords: 1_000_000, maxBytes: null });
  expect(policy({ cron: '0 * * * *' })).toMatchObject({ maxAgeMs: null, cron: '0 * * * *' });
  expect(policy({ cron: '0 * * * *', max_age: '1h' })).toMatchObject({ maxAgeMs: 3_600_000 });
});
