import {
  duration,
  expression,
  glob,
  listenAddress,
  path,
  size,
  template,
  Type,
  type DataRecord,
  type Expression,
  type Json,
  type Template,
} from '../../src/api/index.ts';
import { convertOptions } from '../../src/config/index.ts';
import { createRegistry } from '../../src/registry/index.ts';

/** Every variable is set. */
const env = new Proxy({}, { get: () => 'x' });
const context = { baseDir: '/etc/sluice', references: { env: ['SLUICE_*'], file: [] }, env };
const describe_ = { description: 'An option.' };

test('each fragment becomes what its static type says', () => {
  const options = Type.Object({
    duration: duration(describe_),
    size: size(describe_),
    listen: listenAddress(describe_),
    path: path(describe_),
    globs: Type.Array(glob(describe_)),
    template: template({ ...describe_, confined: 'path' }),
    expression: expression(describe_),
    literal: Type.String(),
  });
  const converted = convertOptions(
    { options },
    {
      duration: '1.5s',
      size: '64KiB',
      listen: ':8080',
      path: '../x/./y',
      globs: ['logs/*.log', '/var/log/**'],
      template: 'out/{{ value.host }}',
      expression: 'value.a + 1',
      literal: '$${env:X}',
    },
    context,
  ) as { template: Template; expression: Expression };
  const { template: compiled, expression: evaluated, ...plain } = converted;
  expect(plain).toEqual({
    duration: 1500,
    size: 65_536,
    listen: { host: '127.0.0.1', port: 8080 },
    path: '/etc/x/y',
    globs: ['/etc/sluice/logs/*.log', '/var/log/**'],
    literal: '${env:X}',
  });
  expect(compiled).toMatchObject({ constant: null, prefix: '/etc/sluice/out' });
  const record = { key: null, value: { a: 2n }, timestamp: 0, headers: {}, topic: 't', partition: 0, offset: 0 };
  expect(Number(evaluated.evaluate(record as DataRecord))).toBe(3);
});

test('defaults are converted too, those of options within options as well', () => {
  const options = Type.Object({
    roll: Type.Object(
      { size: size({ ...describe_, default: '1MiB' }), age: duration({ ...describe_, default: '60s' }) },
      { default: {} },
    ),
    mode: Type.Union([Type.Literal('off'), Type.Object({ every: duration({ ...describe_, default: '1s' }) })], {
      default: {},
    }),
    unset: Type.Optional(duration(describe_)),
  });
  expect(convertOptions({ options }, {}, context)).toEqual({
    roll: { size: 1_048_576, age: 60_000 },
    mode: { every: 1000 },
  });
  expect(convertOptions({ options }, { roll: { age: '1s' }, mode: 'off' }, context)).toEqual({
    roll: { size: 1_048_576, age: 1000 },
    mode: 'off',
  });
});

test('every example of a connector converts, and gives every option that has a default', async () => {
  for (const definition of await createRegistry().all()) {
    expect(definition.examples).not.toEqual([]);
    for (const { options } of definition.examples) {
      // What references stand for is not here.
      const written = JSON.stringify(options).replaceAll(/\$\{(env|file):[^}]+\}/g, 'resolved');
      const converted = convertOptions(definition, JSON.parse(written) as Json, context);
      const preset = Object.entries(definition.options.properties).filter(
        ([, { default: value }]) => value !== undefined,
      );
      expect(Object.keys(converted)).toEqual(expect.arrayContaining(preset.map(([name]) => name)));
    }
  }
});
