import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cleanUp, HubFolder } from '../cli/support/hub-folder.ts';

/** A secret is used and never shown: not in output, logs, the API, what plan and validate print, or the data folder. */
jest.setTimeout(60_000);
afterEach(cleanUp);

const CANARY = 'canary-7f3a9c51e2';

const guarded = `
name: guarded
sources:
  - http: { listen: HTTP, auth: { bearer: '\${env:SLUICE_CANARY}' } }
topic: guarded
sinks:
  - file: { path: out, roll: { idle: 100ms } }
`;

test('the value of a reference is in nothing that a hub says or keeps', async () => {
  const folder = await HubFolder.create({ 'guarded.yaml': guarded });
  folder.env.SLUICE_CANARY = CANARY;
  const hub = folder.run('--verbose');
  const send = (token: string): Promise<number> =>
    fetch(`http://127.0.0.1:${folder.httpPort}/`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: '{"n":1}',
    }).then(({ status }) => status);
  await hub.until('it listens', () =>
    send(CANARY).then(
      (status) => status === 200,
      () => false,
    ),
  );
  expect(await send('wrong')).toBe(401);
  const pages = await Promise.all(['/status', '/metrics', '/health', '/ready'].map((page) => folder.api(page)));
  await hub.until('the record is published', async () => (await folder.published('out').catch(() => [])).length > 0);
  expect(await hub.end('SIGTERM')).toBe(0);

  const said = [hub.stdout, hub.stderr, ...pages.map(({ body }) => body)];
  for (const args of [['validate'], ['validate', '--resolve'], ['validate', '--json'], ['plan'], ['plan', '--json']]) {
    const command = folder.sluice(...args);
    expect([args, await command.exit()]).toEqual([args, 0]);
    said.push(command.stdout, command.stderr);
  }
  for (const text of said) expect(text).not.toContain(CANARY);
  for (const bytes of await allFiles(join(folder.path, 'data'))) expect(bytes.includes(CANARY)).toBe(false);
});

test('a secret that stands in the file as it is, is masked where options are printed', async () => {
  const folder = await HubFolder.create({ 'guarded.yaml': guarded.replace('${env:SLUICE_CANARY}', CANARY) });
  for (const args of [['plan'], ['plan', '--json'], ['validate', '--json']]) {
    const command = folder.sluice(...args);
    expect([args, await command.exit()]).toEqual([args, 0]);
    expect(command.stdout + command.stderr).not.toContain(CANARY);
  }
});

test('a reference that no provider allows is refused, and its target is not shown', async () => {
  const folder = await HubFolder.create({
    'file.yaml': guarded.replace('env:SLUICE_CANARY', 'file:/etc/passwd'),
    'env.yaml': guarded.replace('name: guarded', 'name: other').replace('env:SLUICE_CANARY', 'env:AWS_SECRET'),
  });
  folder.env.AWS_SECRET = CANARY;
  const command = folder.sluice('validate', '--resolve');
  expect(await command.exit()).toBe(2);
  const said = command.stdout + command.stderr;
  expect(said).toMatch(/file\.yaml:4:\d+ /);
  expect(said).toMatch(/env\.yaml:4:\d+ /);
  expect(said).toContain('/etc/passwd');
  expect(said).not.toContain('root:');
  expect(said).not.toContain(CANARY);
});

test('a reference without a value is a warning, and with --resolve an error', async () => {
  const folder = await HubFolder.create({ 'guarded.yaml': guarded });
  const lenient = folder.sluice('validate');
  expect(await lenient.exit()).toBe(0);
  expect(lenient.stdout + lenient.stderr).toContain('SLUICE_CANARY');
  expect(await folder.sluice('validate', '--resolve').exit()).toBe(2);
});

async function allFiles(folder: string): Promise<Buffer[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Promise.all(files.map((entry) => readFile(join(entry.parentPath, entry.name))));
}
