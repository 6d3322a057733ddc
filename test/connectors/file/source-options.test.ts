import { sourceDefinition } from '../../../connectors/file/source-definition.ts';

const problemsOf = (options: object): string[] =>
  (sourceDefinition.validate?.({ framing: 'lines', ...options } as never) ?? []).map(
    ({ path, message }) => `${path.join('.')}: ${message}`,
  );

test.each<[object, string]>([
  [{ path_fields: '/var/log/*.log' }, 'path_fields: names no part'],
  [{ path_fields: '/var/{__connect.x}/*.log' }, 'path_fields: "__connect.x" is a name that dead letters use'],
  [{ multiline: { negate: false } }, 'multiline: set `preset`'],
  [{ multiline: { negate: false, start: 'a' }, framing: 'nul' }, 'multiline: is about lines'],
  [{ multiline: { negate: false, start: 'a', preset: 'java' } }, 'multiline.preset: excludes `start`'],
  [{ multiline: { negate: true, start: 'a', end: 'b' } }, 'multiline.negate: is about one pattern'],
  [{ multiline: { negate: true, preset: 'go' } }, 'multiline.negate: is about one pattern'],
  [{ multiline: { negate: false, continue: '(a)\\1' } }, 'multiline.continue: `(a)\\1` `\\1` refers back'],
])('%j: %s', (options, problem) => {
  expect(problemsOf(options)).toEqual([expect.stringContaining(problem)]);
});

test.each([
  {},
  { path_fields: '/var/log/{service}/*.log' },
  { path_fields: '/var/log/${env:HOST}/{service' },
  { multiline: { negate: true, continue: '^\\d' } },
  { multiline: { negate: false, preset: 'node' } },
  { multiline: { negate: false, start: '${env:START}(' } },
])('%j is fine', (options) => {
  expect(problemsOf(options)).toEqual([]);
});
