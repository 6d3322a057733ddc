import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { problemCatalogue } from '../../src/config/index.ts';
import { folderOf, problemsOf, removeFolders } from './support/hub.ts';

afterEach(removeFolders);

const head = 'name: a\ntopic: t\nsources: [{ generate: {} }]\n';
const sink = (text: string): string => `${head}sinks:\n  - console: {}\n    ${text}\n`;
const source = (text: string): string => `name: a\ntopic: t\nsources:\n  - generate: {}\n    ${text}\n`;
const topic = (text: string): string => `name: a\ntopic: ${text}\nsources: [{ generate: {} }]\n`;

test('every mistake of a file at once, each where it stands', async () => {
  const text = `
name: access-logs
sources:
  - fil: { include: ['/var/log/*.log'] }
  - file:
      inclde: ['/var/log/*.log']
topic: { name: access-logs, partitions: many }
sinks:
  - console: {}
    batch:
      max_age: 5 parsecs
  - file:
      path: '{{ value.host }}/x'
    where: 'value.status >='
`;
  expect(await problemsOf(text.trimStart())).toEqual([
    '3:5 CONFIG_UNKNOWN_CONNECTOR no source connector `fil`; did you mean `file`?',
    '5:7 CONFIG_UNKNOWN_OPTION file has no option `inclde`; did you mean `include`?',
    '6:41 CONFIG_WRONG_TYPE `topic.partitions` must be a whole number from 1 to 1024, got "many"',
    '10:16 CONFIG_BAD_DURATION `batch.max_age` must be a duration such as 500ms, 5s or 1h, at most 1h, got "5 parsecs"',
    expect.stringMatching(/^12:14 CONFIG_UNCONFINED_TEMPLATE `path`: .*literal folder/),
    expect.stringMatching(/^13:\d+ CONFIG_BAD_EXPRESSION `where`: /),
  ]);
});

/** A pipeline, and the start of each of its problems. */
const table: readonly (readonly [what: string, pipeline: string, ...problems: string[]])[] = [
  ['an empty file', '', '1:1 CONFIG_WRONG_TYPE the pipeline must be a mapping, got nothing'],
  ['a list', '- a\n', '1:1 CONFIG_WRONG_TYPE the pipeline must be a mapping, got a list'],
  ['no name', 'topic: t\nsources: [{ generate: {} }]\n', '1:1 CONFIG_MISSING_OPTION the pipeline needs `name`'],
  ['no topic', 'name: a\nsources: [{ generate: {} }]\n', '1:1 CONFIG_MISSING_OPTION the pipeline needs `topic`'],
  ['a bad name', 'name: Access Logs\ntopic: t\nsources: [{ generate: {} }]\n', '1:7 CONFIG_BAD_NAME `name` must be'],
  ['a number for a name', 'name: 7\ntopic: t\nsources: [{ generate: {} }]\n', '1:7 CONFIG_WRONG_TYPE'],
  ['nothing to do', 'name: a\ntopic: t\n', '1:1 CONFIG_NO_LEGS'],
  ['empty sides', 'name: a\ntopic: t\nsources: []\nsinks: []\n', '1:1 CONFIG_NO_LEGS'],
  [
    'an unknown key',
    `${head}sink: []\n`,
    '4:1 CONFIG_UNKNOWN_OPTION the pipeline has no option `sink`; did you mean `sinks`?',
  ],
  [
    'sources that are no list',
    'name: a\ntopic: t\nsources: { generate: {} }\n',
    '3:10 CONFIG_WRONG_TYPE `sources` must be a list',
  ],
  [
    'an entry that is text',
    'name: a\ntopic: t\nsources: [generate]\n',
    '3:11 CONFIG_WRONG_TYPE a source is a mapping; write `- generate: {}`',
  ],
  [
    'an entry of words only',
    'name: a\ntopic: t\nsources: [{ name: x }]\n',
    '3:11 CONFIG_NO_CONNECTOR this source names no connector; there are `directory`, `file`',
  ],
  ['two connectors', 'name: a\ntopic: t\nsources:\n  - generate: {}\n    http: {}\n', '5:5 CONFIG_SEVERAL_CONNECTORS'],
  [
    'a sink among sources',
    'name: a\ntopic: t\nsources: [{ console: {} }]\n',
    '3:13 CONFIG_UNKNOWN_CONNECTOR no source connector `console`',
  ],
  [
    'options beside the connector',
    source('seed: 1'),
    '5:5 CONFIG_UNKNOWN_OPTION a source has no option `seed`; options of generate go under `generate:`',
  ],
  [
    'a word of sinks at a source',
    source('where: value.a == 1'),
    '5:5 CONFIG_UNKNOWN_OPTION `where` is a word of sinks',
  ],
  ['a word of sources at a sink', sink('key: value.a'), '6:5 CONFIG_UNKNOWN_OPTION `key` is a word of sources'],
  [
    'a misspelt word',
    sink('wher: value.a == 1'),
    '6:5 CONFIG_UNKNOWN_OPTION a sink has no option `wher`; did you mean `where`?',
  ],
  [
    'a misspelt word before the connector',
    `${head}sinks:\n  - nmae: x\n    console: {}\n`,
    '5:5 CONFIG_UNKNOWN_OPTION a sink has no option `nmae`; did you mean `name`?',
  ],
  [
    'a value out of a list',
    sink('start: earlyest'),
    '6:12 CONFIG_BAD_VALUE `start` must be one of `earliest`, `latest`, got "earlyest"; did you mean `earliest`?',
  ],
  [
    'a number too small',
    sink('batch: { max_records: 0 }'),
    '6:27 CONFIG_BAD_VALUE `batch.max_records` must be a whole number from 1',
  ],
  ['a fraction', sink('batch: { max_records: 1.5 }'), '6:27 CONFIG_WRONG_TYPE'],
  [
    'a size without a unit',
    sink('batch: { max_bytes: 1000 }'),
    '6:25 CONFIG_BAD_SIZE `batch.max_bytes` must be a size such as 64KiB',
  ],
  ['a size out of range', sink('batch: { max_bytes: 1B }'), '6:25 CONFIG_BAD_SIZE'],
  ['a duration without a unit', sink('batch: { max_age: 5 }'), '6:23 CONFIG_BAD_DURATION'],
  ['a duration out of range', sink('batch: { max_age: 2h }'), '6:23 CONFIG_BAD_DURATION'],
  [
    'waits the wrong way round',
    sink('retry: { min: 2m, max: 1m }'),
    '6:19 CONFIG_BAD_DURATION `retry.min` is longer than `retry.max`',
  ],
  [
    'an option of a connector',
    head + 'sinks: [{ console: { fromat: ndjson } }]\n',
    '4:22 CONFIG_UNKNOWN_OPTION console has no option `fromat`; did you mean `format`?',
  ],
  [
    'an option of an option',
    head + 'sinks: [{ file: { path: o, roll: { agee: 1s } } }]\n',
    '4:36 CONFIG_UNKNOWN_OPTION file `roll` has no option `agee`; did you mean `age`?',
  ],
  [
    'a missing option',
    'name: a\ntopic: t\nsources: [{ file: {} }]\n',
    '3:13 CONFIG_MISSING_OPTION file needs `include`',
  ],
  [
    'options that are no mapping',
    head + 'sinks: [{ console: pretty }]\n',
    '4:20 CONFIG_WRONG_TYPE console must be a mapping, got "pretty"',
  ],
  ['an address', 'name: a\ntopic: t\nsources: [{ http: { listen: 8080 } }]\n', '3:29 CONFIG_BAD_ADDRESS'],
  ['a port out of range', "name: a\ntopic: t\nsources: [{ http: { listen: ':99999' } }]\n", '3:29 CONFIG_BAD_ADDRESS'],
  ['a topic with a space', topic('"a b"'), '2:8 CONFIG_BAD_NAME `topic` must be'],
  ['a topic of the system', topic('__offsets'), '2:8 CONFIG_BAD_NAME'],
  ['a topic of dots', topic('{ name: .. }'), '2:16 CONFIG_BAD_NAME'],
  ['a topic that is a list', topic('[a]'), '2:8 CONFIG_WRONG_TYPE `topic` must be'],
  [
    'an unknown option of a topic',
    topic('{ name: t, partition: 3 }'),
    '2:19 CONFIG_UNKNOWN_OPTION the pipeline `topic` has no option `partition`; did you mean `partitions`?',
  ],
  [
    'dead letters that are text',
    `${head}dead_letter: of\n`,
    '4:14 CONFIG_WRONG_TYPE `dead_letter` must be `off` or a mapping, got "of"; did you mean `off`?',
  ],
  ['dead letters in the topic', `${head}dead_letter: { topic: t }\n`, '4:23 CONFIG_TOPIC_CONFLICT'],
  [
    'a name that stands twice',
    'name: a\ntopic: t\nsources:\n  - generate: {}\n  - generate: {}\n',
    '5:5 CONFIG_DUPLICATE_NAME another source is named `generate` (line 4)',
  ],
  [
    'a given name that stands twice',
    'name: a\ntopic: t\nsources:\n  - generate: {}\n    name: x\n  - http: {}\n    name: x\n',
    '7:5 CONFIG_DUPLICATE_NAME another source is named `x` (line 5)',
  ],
  [
    'exactly once from who pushes',
    'name: a\ntopic: t\nsources:\n  - http: {}\n    delivery: exactly_once\n',
    '5:15 CONFIG_CANNOT_REWIND',
  ],
  [
    'exactly once for all, who pushes too',
    'name: a\ntopic: t\ndelivery: exactly_once\nsources: [{ http: {} }]\n',
    '3:11 CONFIG_CANNOT_REWIND',
  ],
  [
    'a condition that is no condition',
    sink('where: 1 + 1'),
    '6:12 CONFIG_BAD_EXPRESSION `where`: it must be true or false',
  ],
  ['an expression in quotes', sink('where: "value.a == == 1"'), '6:24 CONFIG_BAD_EXPRESSION'],
  [
    'an expression in a block',
    `${head}sinks:\n  - console: {}\n    where: |\n      value.a == 1 &&\n      value.b == == 2\n`,
    '8:18 CONFIG_BAD_EXPRESSION',
  ],
  ['a reference in a word', source("name: '${env:NAME}'"), '5:12 CONFIG_BAD_REFERENCE'],
  [
    'a listener that may hold more than all together',
    'name: a\ntopic: t\nsources:\n  - http: { max_in_flight: 300MiB }\n',
    '4:28 CONFIG_LISTENER_MEMORY',
  ],
  ['records larger than the buffers', topic('{ name: t, max_record: 100MiB }'), '2:31 CONFIG_RECORD_LIMIT'],
];

test('what a definition says itself stands at the option that it names', async () => {
  const text = 'name: a\ntopic: t\nsources:\n  - http:\n      auth: {}\n      headers: [x-id, sluice.id]\n';
  expect(await problemsOf(text)).toEqual([
    expect.stringContaining('5:13 CONFIG_OPTION_CONFLICT `auth` accepts nobody'),
    expect.stringContaining('6:23 CONFIG_OPTION_CONFLICT "sluice.id" is a name that dead letters use'),
  ]);
});

test('each code of the catalogue is reported somewhere, and no other', async () => {
  const folder = join(import.meta.dirname, '../../src/config');
  const used = new Set<string>();
  for (const file of await readdir(folder)) {
    if (file === 'problems.ts') continue;
    for (const [code] of (await readFile(join(folder, file), 'utf8')).matchAll(/CONFIG_[A-Z_]+/g)) used.add(code);
  }
  expect([...used].sort()).toEqual(Object.keys(problemCatalogue).sort());
});

test.each(table)('%s', async (_what, pipeline, ...expected) => {
  const problems = await problemsOf(pipeline);
  expect(problems).toEqual(expected.map((start) => expect.stringContaining(start) as string));
  for (const [index, start] of expected.entries()) expect(problems[index]!.startsWith(start)).toBe(true);
});

describe('over all pipelines', () => {
  const pipeline = (name: string, more: string): string => `name: ${name}\n${more}`;
  const listens = (address: string): string => `sources: [{ http: { listen: '${address}' } }]\n`;
  const writes = (path: string): string => `sources: [{ generate: {} }]\nsinks: [{ file: { path: '${path}' } }]\n`;
  const conflicts: readonly (readonly [string, string, string, string])[] = [
    [
      'the same name',
      pipeline('a', `topic: a\n${writes('x')}`),
      pipeline('a', `dead_letter: off\ntopic: b\n${writes('y')}`),
      'b.yaml:1:7 CONFIG_DUPLICATE_NAME another pipeline is named `a` (pipelines/a.yaml:1)',
    ],
    [
      'one topic',
      pipeline('a', `topic: t\n${writes('x')}`),
      pipeline('b', `topic: t\n${writes('y')}`),
      'b.yaml:2:8 CONFIG_TOPIC_CONFLICT the topic `t` is written by another pipeline (pipelines/a.yaml:2)',
    ],
    [
      'one address',
      pipeline('a', `topic: a\n${listens(':8080')}`),
      pipeline('b', `topic: b\n${listens('0.0.0.0:8080')}`),
      'b.yaml:3:29 CONFIG_ADDRESS_CONFLICT 0.0.0.0:8080 is listened on already (pipelines/a.yaml:3)',
    ],
    [
      'the address of the API',
      pipeline('a', `topic: a\n${writes('x')}`),
      pipeline('b', `topic: b\n${listens('localhost:8686')}`),
      'b.yaml:3:29 CONFIG_ADDRESS_CONFLICT the API of the hub listens on 127.0.0.1:8686',
    ],
    [
      'one folder',
      pipeline('a', `topic: a\n${writes('out')}`),
      pipeline('b', `topic: b\n${writes('./out/')}`),
      'b.yaml:4:25 CONFIG_FOLDER_CONFLICT the folder <folder>/pipelines/out is written by another sink',
    ],
    [
      'a folder in a folder',
      pipeline('a', `topic: a\n${writes('out')}`),
      pipeline('b', `topic: b\n${writes('out/{{ value.a }}/x')}`),
      'b.yaml:4:25 CONFIG_FOLDER_CONFLICT',
    ],
    [
      'the data folder',
      pipeline('a', `topic: a\n${writes('x')}`),
      pipeline('b', `topic: b\n${writes('../.sluice/out')}`),
      'b.yaml:4:25 CONFIG_FOLDER_CONFLICT',
    ],
    [
      'dead letters in another topic',
      pipeline('a', `topic: t\n${writes('x')}`),
      pipeline('b', `dead_letter: { topic: t }\ntopic: b\n${writes('y')}`),
      'b.yaml:2:23 CONFIG_TOPIC_CONFLICT',
    ],
    [
      'dead letters in one topic',
      pipeline('a', `dead_letter: { topic: d }\ntopic: t\n${writes('x')}`),
      pipeline('b', `dead_letter: { topic: d }\ntopic: b\n${writes('y')}`),
      'b.yaml:2:23 CONFIG_TOPIC_CONFLICT',
    ],
    [
      'a topic that is described otherwise',
      pipeline('a', `topic: t\n${writes('x')}`),
      pipeline('b', 'topic: { name: t, partitions: 3 }\nsinks: [{ console: {} }]\n'),
      'b.yaml:2:31 CONFIG_TOPIC_DIFFERS',
    ],
    [
      'a topic of nobody',
      pipeline('a', `topic: t\n${writes('x')}`),
      pipeline('b', 'topic: u\nsinks: [{ console: {} }]\n'),
      'b.yaml:2:8 CONFIG_TOPIC_UNWRITTEN',
    ],
  ];

  test.each(conflicts)('%s', async (_what, first, second, expected) => {
    const folder = await folderOf({ 'pipelines/a.yaml': first, 'pipelines/b.yaml': second });
    expect(await folder.problems()).toEqual([expect.stringContaining(`pipelines/${expected}`)]);
  });

  test('what does not conflict is let through', async () => {
    const folder = await folderOf({
      'pipelines/a.yaml': pipeline('a', `topic: t\n${listens(':0')}sinks: [{ file: { path: out } }]\n`),
      'pipelines/b.yaml': pipeline('b', `topic: b\n${listens(':0')}sinks: [{ file: { path: out-b } }]\n`),
      'pipelines/c.yaml': pipeline('c', 'topic: t\nsinks: [{ console: {} }]\n'),
      'pipelines/d.yaml': pipeline('d', 'topic: a.dead\nsinks: [{ console: {} }]\n'),
    });
    expect(await folder.problems()).toEqual([]);
  });

  test('a reader has the topic as its writer describes it', async () => {
    const folder = await folderOf({
      'pipelines/a.yaml': pipeline('a', 'topic: t\nsinks: [{ console: {} }]\n'),
      'pipelines/b.yaml': pipeline('b', 'topic: { name: t, partitions: 7 }\nsources: [{ generate: {} }]\n'),
    });
    const { plan } = await folder.load();
    expect(plan?.pipelines.map(({ topic: { partitions } }) => partitions)).toEqual([7, 7]);
  });
});
