import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Value } from '@sinclair/typebox/value';
import { sourceDefinition } from '../../../connectors/syslog/index.ts';
import { sourceOptions } from '../../../connectors/syslog/options.ts';
import { realClock } from '../../../src/telemetry/index.ts';
import { createSourceHarness, type SourceHarness } from '../../../src/testing/index.ts';

jest.setTimeout(60_000);
const running = new Set<SourceHarness>();
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-syslog-unix-'));
});

afterEach(async () => {
  for (const harness of running) {
    harness.release();
    await harness.stop();
  }
  running.clear();
  await rm(folder, { recursive: true, force: true });
});

async function listen(
  kind: 'datagram' | 'stream',
  maxMessage = 1024,
): Promise<{ harness: SourceHarness; path: string }> {
  const path = join(folder, 'log.sock');
  const harness = createSourceHarness({
    clock: realClock,
    definition: sourceDefinition,
    options: {
      listen: { host: '127.0.0.1', port: 0 },
      transport: 'tcp',
      unix: { kind, path, mode: '0666' },
      value: 'raw',
      client_header: 'client',
      utc_offset: '+00:00',
      max_message: maxMessage,
      max_in_flight: 64 * 1024 * 1024,
      max_connections: 4096,
      max_connections_per_address: 1,
      message_timeout: 60_000,
      keep_alive: 60_000,
    },
  });
  await harness.start();
  while (harness.status === '') await Promise.race([harness.ended, realClock.sleep(1)]);
  running.add(harness);
  expect(harness.status).toBe(`listening ${path}`);
  return { harness, path };
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited too long for ${condition.toString()}`);
    await realClock.sleep(2);
  }
}

/** Perl is on every machine with util-linux; Node sends no such datagrams. */
function sender(path: string, script: string): ReturnType<typeof spawn> {
  const opened = 'use Socket; socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die; connect($s, sockaddr_un($ARGV[0])) or die;';
  return spawn('perl', ['-e', `${opened} ${script}`, path], { stdio: ['ignore', 'inherit', 'inherit'] });
}

test('`logger` of util-linux, as datagrams and as a stream', async () => {
  for (const kind of ['datagram', 'stream'] as const) {
    const { harness, path } = await listen(kind);
    const flags = ['-u', path, '--socket-errors=on', '-t', 'app', ...(kind === 'stream' ? ['-T'] : [])];
    await promisify(execFile)('logger', [...flags, 'over a path']);
    await until(() => harness.count === 1);
    expect(harness.values[0]).toMatch(/^<13>.* app: over a path$/);
    expect(harness.records[0]!.headers.map(([name, value]) => [name, value?.toString()])).toEqual([['client', 'unix']]);
    await harness.stop();
    running.delete(harness);
    await expect(stat(path)).rejects.toThrow('ENOENT');
  }
});

test('datagrams that find no room hold their sender back; none is lost and their order stays', async () => {
  const { harness, path } = await listen('datagram');
  const giveBack = harness.spendBudget();
  const count = 60_000;
  const child = sender(path, `for my $n (0..${count - 1}) { send($s, "<13>message $n " . "x" x 900, 0) // die $!; }`);
  const ended = once(child, 'close');
  const isHeld = await Promise.race([ended.then(() => false), realClock.sleep(3000).then(() => true)]);
  expect(isHeld).toBe(true);
  giveBack();
  expect((await ended)[0]).toBe(0);
  await until(() => harness.count === count);
  expect(harness.values.map((value) => Number(value.split(' ')[1]))).toEqual(
    Array.from({ length: count }, (_each, n) => n),
  );
});

test('what was sent before the end is delivered', async () => {
  const { harness, path } = await listen('datagram');
  const child = sender(path, `for my $n (0..9) { send($s, "<13>$n", 0) // die $!; }`);
  const ended = once(child, 'close');
  await ended;
  await harness.stop();
  running.delete(harness);
  expect(harness.values).toEqual(Array.from({ length: 10 }, (_each, n) => `<13>${n}`));
});

test('a datagram that is too long is a dead letter, cut; the next one is whole', async () => {
  const { harness, path } = await listen('datagram', 480);
  await once(sender(path, `send($s, "<13>" . "x" x 5000, 0) // die $!; send($s, "<13>next", 0) // die $!;`), 'close');
  await until(() => harness.count === 1);
  expect(harness.values).toEqual(['<13>next']);
  expect(harness.rejected.map(({ error, value }) => [error.code, value!.length])).toEqual([['RECORD_TOO_LARGE', 480]]);
});

test('many clients of a stream: they have no address to be counted by', async () => {
  const { harness, path } = await listen('stream');
  const sockets = Array.from({ length: 20 }, () => connect(path));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  for (const [n, socket] of sockets.entries()) socket.end(`<13>${n}\n`);
  await until(() => harness.count === 20);
});

test('options: datagrams by default, and what does not go together', () => {
  expect(Value.Default(sourceOptions, { unix: { path: '/x' } })).toMatchObject({
    unix: { kind: 'datagram', mode: '0660' },
  });
  const options = Value.Default(sourceOptions, { unix: { path: '/x' }, transport: 'udp' });
  expect(sourceDefinition.validate!(options as never).map(({ path }) => path)).toEqual([['transport']]);
});
