import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bindUnix, checkUnixSocket, unixSocketProblems } from '../../src/toolkit/unix-socket.ts';

let folder: string;
const servers: Server[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-unix-'));
});

afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  await rm(folder, { recursive: true, force: true });
});

function server(): Server {
  const made = createServer((socket) => socket.on('error', () => undefined).end('hello'));
  servers.push(made);
  return made;
}

const at = (name: string): { path: string; mode: string } => ({ path: join(folder, name), mode: '0660' });

async function answerOf(path: string): Promise<string> {
  const socket = connect(path);
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}

test('it is served under its path with its rights, and taken away at the end', async () => {
  const [group] = [String(process.getgid!())];
  const placed = await bindUnix(server(), { ...at('a.sock'), mode: '0640', group });
  const { mode, gid } = await stat(join(folder, 'a.sock'));
  expect([mode & 0o777, String(gid)]).toEqual([0o640, group]);
  expect(await answerOf(join(folder, 'a.sock'))).toBe('hello');
  await placed.remove();
  await expect(stat(join(folder, 'a.sock'))).rejects.toThrow('ENOENT');
});

test('one that is served is left alone, and so is a file that is no socket', async () => {
  await bindUnix(server(), at('a.sock'));
  await expect(bindUnix(server(), at('a.sock'))).rejects.toMatchObject({ code: 'LISTENER_IN_USE' });
  expect(await answerOf(join(folder, 'a.sock'))).toBe('hello');
  await writeFile(join(folder, 'file'), 'kept');
  await expect(bindUnix(server(), at('file'))).rejects.toMatchObject({ code: 'OPTION_INVALID' });
});

test('what a killed process left is replaced, and a successor’s socket is not taken away', async () => {
  const path = join(folder, 'a.sock');
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  await expect(checkUnixSocket(at('a.sock'))).rejects.toMatchObject({ code: 'LISTENER_IN_USE' });
  child.kill('SIGKILL');
  await once(child, 'close');
  const first = server();
  const placed = await bindUnix(first, at('a.sock'));
  expect(await answerOf(path)).toBe('hello');
  first.close();
  await bindUnix(server(), at('a.sock'));
  await placed.remove();
  expect(await answerOf(path)).toBe('hello');
});

test.each([
  ['a path that is too long', { path: `/tmp/${'x'.repeat(103)}`, mode: '0660' }, '107'],
  ['a folder that is not there', { path: '/nowhere/a.sock', mode: '0660' }, 'there is no folder /nowhere'],
  ['a user that is not there', { path: '/tmp/a.sock', mode: '0660', owner: 'no-such-user' }, 'does not know'],
])('%s is refused and named', async (_what, options, words) => {
  for (const refuse of [() => bindUnix(server(), options), () => checkUnixSocket(options)])
    await expect(refuse()).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: expect.stringContaining(words) as string,
    });
});

test('the longest path is served', async () => {
  const path = join(folder, 'x'.repeat(107 - folder.length - 1));
  await bindUnix(server(), { path, mode: '0600' });
  expect(await answerOf(path)).toBe('hello');
});

test('a folder in which this user may not write is named', async () => {
  if (process.getuid!() === 0) return;
  await chmod(folder, 0o500);
  await expect(bindUnix(server(), at('a.sock'))).rejects.toMatchObject({ code: 'OPTION_INVALID' });
});

test('the schema’s gaps: a path that is too long, and TLS', () => {
  const unix = { path: `/${'ä'.repeat(54)}`, mode: '0660' };
  expect(unixSocketProblems({ unix, tls: {} }).map(({ path }) => path.join('.'))).toEqual(['tls', 'unix.path']);
  expect(unixSocketProblems({ unix: at('a.sock') })).toEqual([]);
  expect(unixSocketProblems({ tls: {} })).toEqual([]);
});
