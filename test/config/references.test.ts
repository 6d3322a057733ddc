import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { secret, size, Type, type Json } from '../../src/api/index.ts';
import { convertOptions, maskSecrets } from '../../src/config/index.ts';
import { folderOf, problemsOf, removeFolders, type TestFolder } from './support/hub.ts';

afterEach(removeFolders);

const options = Type.Object(
  {
    token: Type.Optional(secret({ description: 'A token.' })),
    count: Type.Optional(Type.Integer({ minimum: 1 })),
    strict: Type.Optional(Type.Boolean()),
    mode: Type.Optional(Type.Union([Type.Literal('fast'), Type.Literal('slow')])),
    limit: Type.Optional(size({ description: 'A limit.' })),
    tags: Type.Optional(Type.Array(Type.String())),
    headers: Type.Optional(Type.Record(Type.String(), secret({ description: 'A header.' }))),
  },
  { additionalProperties: false },
);

function convert(value: Json, env: Record<string, string> = {}, folder?: TestFolder): object {
  const references = {
    env: ['SLUICE_*', 'ORDERS_TOKEN'],
    file: folder === undefined ? [] : [join(folder.path, 'secrets')],
  };
  return convertOptions({ options }, value, { baseDir: folder?.path ?? '/base', references, env });
}

function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (thrown) {
    return thrown;
  }
  throw new Error('nothing was thrown');
}

test('references become what the option wants', () => {
  const env = { SLUICE_N: '7', SLUICE_B: 'true', SLUICE_M: 'slow', SLUICE_L: '2MiB', ORDERS_TOKEN: 'hunter2' };
  const written = {
    token: 'Bearer ${env:ORDERS_TOKEN}',
    count: '${env:SLUICE_N}',
    strict: '${env:SLUICE_B}',
    mode: '${env:SLUICE_M}',
    limit: '${env:SLUICE_L}',
    tags: ['$${env:SLUICE_N}', 'n${env:SLUICE_N}-${env:SLUICE_B}'],
    headers: { a: '${env:ORDERS_TOKEN}' },
  };
  expect(convert(written, env)).toEqual({
    token: 'Bearer hunter2',
    count: 7,
    strict: true,
    mode: 'slow',
    limit: 2 * 1024 * 1024,
    tags: ['${env:SLUICE_N}', 'n7-true'],
    headers: { a: 'hunter2' },
  });
});

test('a value is not looked at for references again', () => {
  expect(convert({ token: '${env:SLUICE_A}' }, { SLUICE_A: '${env:SLUICE_B}', SLUICE_B: 'x' })).toEqual({
    token: '${env:SLUICE_B}',
  });
});

test.each([
  [{ token: '${env:SLUICE_UNSET}' }, 'REFERENCE_UNRESOLVED', 'resolving ${env:SLUICE_UNSET}: the variable is not set'],
  [
    { token: '${env:AWS_SECRET}' },
    'REFERENCE_UNRESOLVED',
    'resolving ${env:AWS_SECRET}: the hub file does not allow it',
  ],
  [
    { token: '${file:/etc/shadow}' },
    'REFERENCE_UNRESOLVED',
    'resolving ${file:/etc/shadow}: the hub file does not allow it',
  ],
  [
    { token: '${vault:x}' },
    'REFERENCE_UNRESOLVED',
    'resolving ${vault:x}: it is not written as ${env:NAME} or ${file:/path}',
  ],
  [
    { count: '${env:SLUICE_SECRET}' },
    'OPTION_INVALID',
    'converting the option `count`: the value of ${env:SLUICE_SECRET} is not a whole number, at least 1',
  ],
  [
    { mode: 'x${env:SLUICE_SECRET}' },
    'OPTION_INVALID',
    'converting the option `mode`: the value of ${env:SLUICE_SECRET} is not one of `fast`, `slow`',
  ],
  [{ limit: '${env:SLUICE_SECRET}' }, 'OPTION_INVALID', expect.stringContaining('`limit`') as string],
  [{ token: '${env:SLUICE_EMPTY}' }, 'OPTION_INVALID', expect.stringContaining('not empty') as string],
])('%j is refused without its value', (written, code, message) => {
  const error = thrownBy(() => convert(written, { AWS_SECRET: 'canary', SLUICE_SECRET: 'canary', SLUICE_EMPTY: '' }));
  expect(error).toMatchObject({ code, message });
  expect(String(error)).not.toContain('canary');
});

describe('files', () => {
  async function withSecrets(): Promise<TestFolder> {
    return folderOf({
      'secrets/token': 'from a file\n',
      'secrets/large': 'x'.repeat(65 * 1024),
      'outside/token': 'canary',
    });
  }

  test('a file below an allowed folder, without its last line feed', async () => {
    const folder = await withSecrets();
    expect(convert({ token: `\${file:${folder.path}/secrets/token}` }, {}, folder)).toEqual({ token: 'from a file' });
    expect(convert({ token: '${file:secrets/token}' }, {}, folder)).toEqual({ token: 'from a file' });
  });

  test('a link within the folder, as Kubernetes makes them', async () => {
    const folder = await withSecrets();
    await symlink('token', join(folder.path, 'secrets/link'));
    expect(convert({ token: '${file:secrets/link}' }, {}, folder)).toEqual({ token: 'from a file' });
  });

  test('the allowed folder itself may be a link', async () => {
    const folder = await withSecrets();
    await mkdir(join(folder.path, 'real'));
    await writeFile(join(folder.path, 'real/token'), 'linked');
    await symlink('../real', join(folder.path, 'secrets-link'));
    await symlink('real', join(folder.path, 'run'));
    const context = { baseDir: folder.path, references: { env: [], file: [join(folder.path, 'run')] }, env: {} };
    expect(convertOptions({ options }, { token: '${file:run/token}' }, context)).toEqual({ token: 'linked' });
  });

  test.each([
    'secrets/../outside/token',
    'outside/token',
    'secrets',
    'secrets-else/token',
    'secrets/escape',
    'secrets/large',
    'secrets/none',
    'secrets/dir',
  ])('%s is refused', async (path) => {
    const folder = await withSecrets();
    await symlink('../outside/token', join(folder.path, 'secrets/escape'));
    await mkdir(join(folder.path, 'secrets/dir'));
    const error = thrownBy(() => convert({ token: `\${file:${path}}` }, {}, folder));
    expect(error).toMatchObject({ code: 'REFERENCE_UNRESOLVED' });
    expect(String(error)).not.toContain('canary');
  });
});

describe('in a pipeline file', () => {
  const pipeline = (bearer: string, more = ''): string =>
    `name: a\ntopic: t\nsources:\n  - http:\n      listen: ':8080'\n      auth: { bearer: '${bearer}' }\n${more}`;

  test('one that is not set is a warning, and with `resolve` an error', async () => {
    const text = pipeline('${env:SLUICE_TOKEN}');
    expect(await problemsOf(text)).toEqual(['6:24 CONFIG_REFERENCE_UNSET ${env:SLUICE_TOKEN} is not set here']);
    const folder = await folderOf({ 'pipelines/a.yaml': text });
    expect((await folder.load()).problems[0]!.severity).toBe('warning');
    expect((await folder.load({ resolve: true })).problems[0]!.severity).toBe('error');
    expect(await folder.problems({ resolve: true, env: { SLUICE_TOKEN: 'x' } })).toEqual([]);
  });

  test('the plan holds the reference, never the value', async () => {
    const folder = await folderOf({ 'pipelines/a.yaml': pipeline('${env:SLUICE_TOKEN}') });
    const { plan } = await folder.load({ env: { SLUICE_TOKEN: 'canary' }, resolve: true });
    expect(JSON.stringify(plan)).toContain('${env:SLUICE_TOKEN}');
    expect(JSON.stringify(plan)).not.toContain('canary');
  });

  test('one that is not allowed, or none at all, is an error where it stands', async () => {
    expect(await problemsOf(pipeline('x${env:AWS_SECRET}'), { env: { AWS_SECRET: 'canary' } })).toEqual([
      '6:25 CONFIG_REFERENCE_DENIED ${env:AWS_SECRET} is not allowed (only SLUICE_*); the hub file opens it with `references: { env: [...] }`',
    ]);
    expect(await problemsOf(pipeline('${file:/etc/shadow}'))).toEqual([
      expect.stringContaining('6:24 CONFIG_REFERENCE_DENIED ${file:/etc/shadow} is not allowed (only /run/secrets)'),
    ]);
    expect(await problemsOf(pipeline('${HOME}'))).toEqual([
      '6:24 CONFIG_BAD_REFERENCE ${HOME} is no reference; write ${env:NAME} or ${file:/path}, or $${HOME} for the text itself',
    ]);
  });

  test('the hub file opens more', async () => {
    const folder = await folderOf({
      'sluice.yaml': 'references: { env: [ORDERS_*], file: [secrets] }\n',
      'pipelines/a.yaml': pipeline('${env:ORDERS_TOKEN}${file:../secrets/x}'),
      'secrets/x': 'y',
    });
    expect(await folder.problems({ env: { ORDERS_TOKEN: 'x' } })).toEqual([]);
    expect(await folder.problems({ env: {} })).toEqual([
      expect.stringContaining('CONFIG_REFERENCE_UNSET ${env:ORDERS_TOKEN}'),
    ]);
  });

  test('a number may be a reference, and with `resolve` its value is looked at and not shown', async () => {
    const text = "name: a\ntopic: t\nsources: [{ generate: { count: '${env:SLUICE_COUNT}' } }]\n";
    expect(await problemsOf(text, { env: { SLUICE_COUNT: 'canary' } })).toEqual([]);
    const [problem] = await problemsOf(text, { env: { SLUICE_COUNT: 'canary' }, resolve: true });
    expect(problem).toMatch(
      /^3:13 CONFIG_BAD_VALUE .*`count`: the value of \$\{env:SLUICE_COUNT\} is not a whole number/,
    );
    expect(problem).not.toContain('canary');
  });

  test('a secret with a wrong type is not shown', async () => {
    const [problem] = await problemsOf(pipeline('x').replace("'x'", '12345678'));
    expect(problem).toMatch(/^6:23 CONFIG_WRONG_TYPE `auth.bearer` must be text.*; put it in quotes$/);
    expect(problem).not.toContain('12345678');
  });
});

test('secrets, and what nobody declared, are masked; references stay', () => {
  const written = {
    token: 'canary',
    count: 3,
    headers: { a: '${env:SLUICE_A}', b: 'Bearer ${env:SLUICE_A}', c: 'canary' },
    tags: ['x'],
    unknown: { deep: 'canary' },
  };
  expect(maskSecrets({ options }, written)).toEqual({
    token: '***',
    count: 3,
    headers: { a: '${env:SLUICE_A}', b: '***', c: '***' },
    tags: ['x'],
    unknown: '***',
  });
});
