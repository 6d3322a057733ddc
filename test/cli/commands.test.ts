import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { EXIT_MEANING } from '../../src/cli/exit.ts';
import { createProgram } from '../../src/cli/program.ts';
import { cleanUp, HubFolder } from './support/hub-folder.ts';
import { runHere } from './support/run-here.ts';

let folder: string;

jest.setTimeout(30_000);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-commands-'));
});
afterEach(async () => {
  await cleanUp();
  await rm(folder, { recursive: true, force: true });
});

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}

const good = `name: copy
sources:
  - file: { include: ['in/*.log'] }
    name: logs
topic: { name: lines, partitions: 2 }
sinks:
  - file: { path: 'out/{{ value.host }}' }
  - console: { max_per_second: 7 }
    where: value.level == "error"
    start: latest
`;

describe('validate', () => {
  const six = `name: copy
sources:
  - fil: { include: ['in/*.log'] }
  - file: { inclde: ['in/*.log'] }
    name: other
topic: { name: lines, partitions: many }
sinks:
  - file: { path: '{{ value.host }}/out' }
    batch: { max_age: 5 parsecs }
  - console: {}
    wher: value.level == "error"
`;

  test('prints all mistakes at once, each with its place and a remedy, and ends with 2', async () => {
    await write({ 'copy.yaml': six });
    const { code, stdout, stderr } = await runHere(folder, ['validate', 'copy.yaml']);
    const lines = stdout.trimEnd().split('\n');
    expect({ code, stderr }).toEqual({ code: 2, stderr: '' });
    const expected = [
      /^copy\.yaml:3:5 +CONFIG_UNKNOWN_CONNECTOR .*`fil`.* did you mean `file`\?$/,
      /^copy\.yaml:4:13 +CONFIG_UNKNOWN_OPTION .*`inclde`; did you mean `include`\?$/,
      /^copy\.yaml:6:35 +CONFIG_WRONG_TYPE .*whole number.*"many"/,
      /^copy\.yaml:8:\d+ +CONFIG_UNCONFINED_TEMPLATE .*literal folder/,
      /^copy\.yaml:9:23 +CONFIG_BAD_DURATION .*"5 parsecs"/,
      /^copy\.yaml:11:5 +CONFIG_UNKNOWN_OPTION .*`wher`.*did you mean `where`\?$/,
    ];
    for (const pattern of expected) expect(lines).toContainEqual(expect.stringMatching(pattern));
    expect(lines.at(-1)).toMatch(/^\d problems in 1 file\. Options of a connector: sluice connectors NAME$/);
  });

  test('says what is next when nothing is wrong', async () => {
    await write({ 'sluice.yaml': 'pipelines: [copy.yaml]', 'copy.yaml': good });
    expect(await runHere(folder, ['validate'])).toEqual({
      code: 0,
      stdout: '1 pipeline, nothing wrong. What would run: sluice plan\n',
      stderr: '',
    });
    expect((await runHere(folder, ['validate', 'copy'])).code).toBe(0);
    expect(await runHere(folder, ['validate', 'cpy'])).toMatchObject({
      code: 2,
      stdout: expect.stringContaining('did you mean `copy`?') as string,
    });
  });

  test('--json is one object with every problem', async () => {
    await write({ 'copy.yaml': six });
    const { code, stdout } = await runHere(folder, ['validate', 'copy.yaml', '--json']);
    expect(code).toBe(2);
    const { ok, problems } = JSON.parse(stdout) as { ok: boolean; problems: Record<string, unknown>[] };
    expect(ok).toBe(false);
    expect(problems[0]).toEqual({
      file: join(folder, 'copy.yaml'),
      line: 3,
      column: 5,
      code: 'CONFIG_UNKNOWN_CONNECTOR',
      message: expect.stringContaining('`fil`') as string,
      severity: 'error',
    });
  });

  test('a reference without a value is a warning, an error with --resolve; its value is never shown', async () => {
    await write({
      'post.yaml':
        "name: post\nsources:\n  - http: { listen: ':0', auth: { bearer: '${env:SLUICE_TOKEN}' } }\ntopic: post\n",
    });
    const unset = await runHere(folder, ['validate', 'post.yaml']);
    expect(unset).toMatchObject({ code: 0, stdout: expect.stringContaining('warning: ') as string });
    expect(unset.stdout).toContain('1 pipeline, no errors, 1 warning.');
    expect(await runHere(folder, ['validate', 'post.yaml', '--resolve'])).toMatchObject({
      code: 2,
      stdout: expect.stringContaining('CONFIG_REFERENCE_UNSET') as string,
    });
    const env = { SLUICE_TOKEN: 'a-secret-nobody-prints' };
    const set = await runHere(folder, ['validate', 'post.yaml', '--resolve', '--json'], env);
    expect(set.code).toBe(0);
    expect(set.stdout + set.stderr).not.toContain('a-secret-nobody-prints');
  });

  test('--connect tells what could not start here', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    await write({
      'post.yaml': `name: post\nsources:\n  - http: { listen: '127.0.0.1:${port}' }\ntopic: post\nsinks:\n  - file: { path: 'blocked/out' }\n`,
      blocked: 'a file where a folder should be',
    });
    try {
      const { code, stdout } = await runHere(folder, ['validate', 'post.yaml', '--connect']);
      expect(code).toBe(1);
      expect(stdout).toContain(`post, source http: listening on 127.0.0.1:${port}`);
      expect(stdout).toMatch(/post, sink file: .*blocked/);
      expect(stdout).toContain('2 connectors could not start here.');
    } finally {
      taken.close();
    }
    await rm(join(folder, 'blocked'));
    expect((await runHere(folder, ['validate', 'post.yaml', '--connect'])).code).toBe(0);
  });
});

describe('plan', () => {
  test('shows what each leg promises, where that ends, what looks into records, and the identities', async () => {
    await write({ 'sluice.yaml': 'pipelines: [copy.yaml]', 'copy.yaml': good });
    const { code, stdout } = await runHere(folder, ['plan']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^copy\n {2}source logs \(file\) +exactly-once +passes through +default\/copy\/source\/logs\n/,
    );
    expect(stdout).toMatch(/ {2}topic lines +embedded: 2 partitions, kept 7d and 10GiB/);
    expect(stdout).toMatch(/ {2}sink file +exactly-once +parses \(path\) +sluice\.default\.copy\.sink\.file\n/);
    expect(stdout).toMatch(/ {2}sink console +at-least-once +parses \(where\) +sluice\.default\.copy\.sink\.console\n/);
    expect(stdout).toMatch(/\n +where value\.level == "error"\n +hole: prints 7 records a second/);
    expect(stdout).toMatch(/ {2}dead letters +copy\.dead\n/);
    expect(stdout).toContain('nothing has run yet');
  });

  test('shows which identities appear and disappear since the last run', async () => {
    const pipeline = good
      .replace('in/*.log', 'in.log')
      .replace('out/{{ value.host }}', 'out')
      .replace('latest', 'earliest');
    const hub = await HubFolder.create({ 'copy.yaml': pipeline });
    await hub.write('in.log', '{"host":"a"}\n{"host":"b"}\n');
    expect(await hub.run('--once').exit()).toBe(0);
    expect((await runHere(hub.path, ['plan'])).stdout).toContain('nothing new, nothing gone since the last run');
    await hub.write(
      'copy.yaml',
      pipeline
        .replace('name: logs', 'name: renamed')
        .replace('- console: {', '- console: { format: ndjson,')
        .replace('where:', 'name: shown\n    where:'),
    );
    const { stdout } = await runHere(hub.path, ['plan']);
    expect(stdout).toMatch(/source copy\/renamed has no checkpoint: it begins at its beginning/);
    expect(stdout).toMatch(/sink copy\/shown is new: it reads from the earliest offset \(2 records\)/);
    expect(stdout).toMatch(/source copy\/logs is gone; .*: sluice offsets forget copy\/logs/);
    expect(stdout).toMatch(/sink copy\/console is gone; .*: sluice offsets forget copy\/console/);
    const { changes } = JSON.parse((await runHere(hub.path, ['plan', '--json'])).stdout) as { changes: object[] };
    expect(changes).toHaveLength(4);
  });

  test('ends with 2 when the configuration is wrong', async () => {
    await write({
      'sluice.yaml': 'pipelines: [copy.yaml]',
      'copy.yaml': good.replace('partitions: 2', 'partitions: 0'),
    });
    const { code, stdout, stderr } = await runHere(folder, ['plan']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('copy.yaml:5:');
  });
});

describe('a hub whose topics are in Kafka, without asking any broker', () => {
  const kafka = `kafka: { brokers: ['kafka-1:9092'], tls: true, sasl: { mechanism: plain, username: hub, password: canary } }
host: rack-7
pipelines: [copy.yaml]
`;

  test('plan says where topics are, what repeats, what fences, and how a takeover comes', async () => {
    await write({ 'sluice.yaml': kafka, 'copy.yaml': good });
    const { code, stdout } = await runHere(folder, ['plan']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^Kafka at kafka-1:9092 \(TLS, plain\)\n {2}a hub that is silent for 8s loses its partitions to the others of group default\ncopy\n/,
    );
    expect(stdout).toMatch(
      / {2}source logs \(file\) +at-least-once +passes through +default\/copy\/source\/logs\/rack-7\n/,
    );
    expect(stdout).toContain('fenced by sluice.default.copy.source.logs.rack-7\n');
    expect(stdout).toMatch(/hole: after SIGKILL the last 100 ms \(16MiB at the most\) and what was in flight/);
    expect(stdout).toMatch(/topic lines +kafka: created when it is missing: 2 partitions, replication as the brokers/);
    const json = await runHere(folder, ['plan', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ kafka: { sasl: { username: 'hub', password: '***' } } });
    expect(stdout + json.stdout).not.toContain('canary');
  });

  test('with the protocol of KIP-848 the brokers decide on the takeover, and kafkajs fences nothing', async () => {
    const plan = async (more: string): Promise<string> => {
      await write({
        'sluice.yaml': `kafka: { brokers: ['b:9092'], ${more} }\npipelines: [copy.yaml]`,
        'copy.yaml': good,
      });
      return (await runHere(folder, ['plan'])).stdout;
    };
    expect(await plan('client: { group_protocol: consumer }')).toContain('group.consumer.session.timeout.ms');
    const old = await plan('driver: kafkajs');
    expect(old).toContain('hole: nothing fences a hub that was replaced');
    expect(old).not.toContain('fenced by');
  });

  test('commands of the embedded log name the tools of Kafka, and run wants its references first', async () => {
    await write({ 'sluice.yaml': kafka.replace('canary', "'${env:KAFKA_PASSWORD}'"), 'copy.yaml': good });
    for (const command of [
      ['log', 'check'],
      ['log', 'dump', 'lines'],
    ])
      expect(await runHere(folder, command)).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringContaining('kafka-console-consumer --bootstrap-server kafka-1:9092') as string,
      });
    expect(await runHere(folder, ['run'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('resolving ${env:KAFKA_PASSWORD}: the variable is not set') as string,
    });
  });
});

test('init makes a hub that validates, and never overwrites', async () => {
  const made = await runHere(folder, ['init', 'my-hub']);
  expect(made).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('Run it: cd my-hub && sluice run\n') as string,
  });
  const hub = join(folder, 'my-hub');
  expect(await runHere(hub, ['validate'])).toMatchObject({ code: 0 });
  for (const [file, schema] of [
    ['sluice.yaml', 'hub'],
    ['pipelines/hello.yaml', 'pipeline'],
  ] as const) {
    const [, target] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(await readFile(join(hub, file), 'utf8'))!;
    const { stdout } = await runHere(hub, ['schema', schema]);
    expect(await readFile(join(hub, dirname(file), target!), 'utf8')).toBe(stdout);
  }
  await rm(join(hub, 'sluice.yaml'));
  await writeFile(join(hub, 'pipelines', 'hello.yaml'), 'mine');
  const again = await runHere(hub, ['init']);
  expect(again).toEqual({
    code: 1,
    stdout: '',
    stderr: 'sluice: pipelines/hello.yaml is there already; nothing was written\n',
  });
  await expect(readFile(join(hub, 'sluice.yaml'))).rejects.toThrow('ENOENT');
});

test('schema prints JSON Schema that knows connectors', async () => {
  const pipeline = JSON.parse((await runHere(folder, ['schema'])).stdout) as { title: string };
  expect(JSON.stringify(pipeline)).toContain('max_per_second');
  const hub = JSON.parse((await runHere(folder, ['schema', 'hub'])).stdout) as { properties: object };
  expect(Object.keys(hub.properties)).toContain('data_dir');
  expect((await runHere(folder, ['schema', 'hubs'])).code).toBe(2);
});

test('connectors lists them, and shows the options and examples of one', async () => {
  const all = await runHere(folder, ['connectors']);
  expect(all.stdout).toMatch(/^file +source +Reads/m);
  expect(all.stdout).toMatch(/^file +sink +Writes/m);
  const one = await runHere(folder, ['connectors', 'file']);
  expect(one.stdout).toMatch(/^ {2}include: list of .*, required$/m);
  expect(one.stdout).toMatch(/^ {2}roll\.age: duration, at least 10ms, default 60s$/m);
  expect(await runHere(folder, ['connectors', 'flie'])).toEqual({
    code: 2,
    stdout: '',
    stderr: 'sluice: no connector `flie`; did you mean `file`?\n',
  });
  const { connectors } = JSON.parse((await runHere(folder, ['connectors', 'console', '--json'])).stdout) as {
    connectors: { options: { path: string }[] }[];
  };
  expect(connectors[0]!.options.map(({ path }) => path)).toEqual(['format', 'max_per_second']);
});

test('every command has help with examples, and the help names the exit codes', async () => {
  const help = await runHere(folder, ['--help']);
  expect(help.code).toBe(0);
  for (const [code, meaning] of EXIT_MEANING) expect(help.stdout).toMatch(new RegExp(`^ {2}${code} +${meaning}`, 'm'));
  const program = createProgram({
    io: { stdout: process.stdout, stderr: process.stderr, env: {}, cwd: folder },
    end: () => undefined,
  });
  for (const command of program.commands) {
    const { code, stdout } = await runHere(folder, [command.name(), '--help']);
    expect({ command: command.name(), code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('\nExamples:\n  $ sluice ') as string,
    });
    expect(stdout).not.toContain('default: false');
  }
});

test('version, an unknown command, and none', async () => {
  const { version } = JSON.parse(await readFile(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8')) as {
    version: string;
  };
  expect((await runHere(folder, ['version'])).stdout).toMatch(`sluice ${version} · node ${process.versions.node}`);
  expect(await runHere(folder, ['version', '--json'])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`{"sluice":"${version}",`) as string,
  });
  expect(await runHere(folder, ['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  expect(await runHere(folder, ['vaildate'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('validate') as string,
  });
  expect((await runHere(folder, [])).code).toBe(2);
});
