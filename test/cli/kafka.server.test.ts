import { appendFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from '../../src/testing/free-ports.ts';
import { serverSuite, uniqueName } from '../support/servers.ts';
import { cleanUp, HubFolder, type HubProcess } from './support/hub-folder.ts';
import { runHere } from './support/run-here.ts';

/** Brokers allow no shorter one by default. */
const SESSION_MS = 6000;

interface Status {
  readonly pipelines: readonly { readonly state: string; readonly reason: string | null }[];
}

function pipelineText(name: string, { out = 'out', partitions = 2 } = {}): string {
  return `
name: ${name}
sources:
  - file: { include: ['in.log'] }
    key: value.n
topic: { name: ${name}, partitions: ${partitions} }
sinks:
  - file: { path: '${out}', roll: { idle: 100ms } }
`;
}

function hubText(brokers: string, group: string, more = ''): string {
  return `kafka: { brokers: ['${brokers}'], client: { session_timeout: ${SESSION_MS}ms }${more} }\ngroup: ${group}\n`;
}

function lines(prefix: string, from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `{"n":"${prefix}${String(from + index).padStart(6, '0')}"}`);
}

async function append(folder: HubFolder, written: readonly string[]): Promise<void> {
  await appendFile(join(folder.path, 'in.log'), `${written.join('\n')}\n`);
}

async function statusOf(folder: HubFolder): Promise<Status['pipelines'][number] | undefined> {
  const answer = await folder.api('/status').catch(() => null);
  return answer === null ? undefined : (JSON.parse(answer.body) as Status).pipelines[0];
}

function untilPublished(hub: HubProcess, folder: HubFolder, count: number, out = 'out'): Promise<void> {
  const published = async (): Promise<boolean> => (await folder.published(out)).length >= count;
  return hub.until(`${count} lines are published`, published, 30_000);
}

function containing(text: string): string {
  return expect.stringContaining(text) as string;
}

function matching(pattern: RegExp): string {
  return expect.stringMatching(pattern) as string;
}

/** Have the sinks of all these hubs read something? */
async function haveRead(...folders: readonly HubFolder[]): Promise<boolean> {
  const answers = await Promise.all(folders.map((folder) => folder.api('/status').catch(() => null)));
  return answers.every((answer) => answer !== null && /"read": [1-9]/.test(answer.body));
}

async function say(folder: HubFolder, ...args: string[]): Promise<{ code: number; said: string }> {
  const { code, stdout, stderr } = await runHere(folder.path, args, folder.env);
  return { code, said: stdout + stderr };
}

serverSuite('a hub on Kafka', ['kafka'], (where) => {
  afterEach(cleanUp);

  test('delivers each line once over clean stops, and shows in the cluster where it stands', async () => {
    const name = uniqueName('clean');
    const folder = await HubFolder.create({ 'p.yaml': pipelineText(name) }, hubText(where.kafka.brokers, name));
    const checked = await say(folder, 'validate', '--connect');
    expect(checked).toEqual({
      code: 0,
      said: matching(/^kafka: cluster \S+, 1 broker; it knows transacti/),
    });
    expect(checked.said).toContain(`${name}, topic ${name}: will be created\n`);
    const wanted = lines('a', 0, 5000);
    await append(folder, [...wanted, 'this is no JSON']);
    const first = folder.run();
    await untilPublished(first, folder, wanted.length);
    expect(first.stderr).toContain(`hub ${name} · Kafka at ${where.kafka.brokers} · http://`);
    const busy = await say(folder, 'offsets', 'forget', `${name}/file`, '--sink');
    expect(busy).toEqual({
      code: 1,
      said: matching(/has a member \(.*\); stop every hub of group clean-/),
    });
    expect(await first.end('SIGTERM')).toBe(0);

    const more = lines('a', 5000, 6000);
    await append(folder, more);
    const second = folder.run('--once');
    expect(await second.exit()).toBe(0);
    expect(second.stderr).toContain('1,000 in, 1,000 delivered');
    expect(await folder.published('out')).toEqual([...wanted, ...more]);

    const { said } = await say(folder, 'offsets', 'get', '--json');
    const { sinks, sources } = JSON.parse(said) as { sinks: { next: number; lag: number }[]; sources: object[] };
    expect(sinks.map(({ lag }) => lag)).toEqual([0, 0]);
    expect(sinks.reduce((sum, { next }) => sum + next, 0)).toBe(6000);
    expect(sources).toHaveLength(1);
    expect((await say(folder, 'dlq', 'list')).said).toMatch(new RegExp(`${name} +\\S+ +key +file +1 `));
    expect((await say(folder, 'dlq', 'show', name)).said).toContain('this is no JSON');

    await folder.write('p.yaml', pipelineText(name).replace('    key:', '    name: renamed\n    key:'));
    const planned = await say(folder, 'plan', '--connect');
    expect(planned.said).toMatch(/topic clean-\S+ +kafka: 2 partitions exist\n/);
    expect(planned.said).toContain(`source ${name}/renamed has no checkpoint: it begins at its beginning\n`);
    expect(planned.said).toContain(`source ${name}/file is gone; its checkpoint is kept until: sluice offsets forget`);
    expect(planned.said).not.toContain(`sink ${name}/file`);
    const forget = (): Promise<{ code: number }> => say(folder, 'offsets', 'forget', `${name}/file`, '--sink');
    // A static member is one until its session is over.
    const deadline = Date.now() + 3 * SESSION_MS;
    while ((await forget()).code !== 0) {
      if (Date.now() > deadline) throw new Error('the sink is never idle');
      await sleep(200);
    }
    expect((JSON.parse((await say(folder, 'offsets', 'get', '--json')).said) as { sinks: object[] }).sinks).toEqual([]);
  });

  test('waits for brokers that cannot be reached, says so, and goes on when they can', async () => {
    const name = uniqueName('away');
    const [port] = (await freePorts(1)) as [number];
    const folder = await HubFolder.create({ 'p.yaml': pipelineText(name) }, hubText(`127.0.0.1:${port}`, name));
    const checked = await say(folder, 'validate', '--connect');
    expect(checked).toMatchObject({ code: 1 });
    expect(checked.said).toContain(
      `kafka: reaching Kafka: broker 127.0.0.1:${port} refuses connections; check \`brokers\` and the network\n`,
    );
    await append(folder, lines('b', 0, 10));
    const waiting = folder.run();
    await waiting.until('it says what it waits for', async () => (await statusOf(folder))?.state === 'degraded');
    const reason = `waiting for Kafka: broker 127.0.0.1:${port} refuses connections`;
    expect(await statusOf(folder)).toMatchObject({ reason });
    const ready = await folder.api('/ready');
    expect(ready.status).toBe(503);
    expect(ready.body).toContain(reason);
    expect((await folder.api('/metrics')).body).toContain(
      `sluice_pipeline_state{pipeline="${name}",state="degraded"} 1`,
    );
    const stoppedAt = performance.now();
    expect(await waiting.end('SIGINT')).toBe(0);
    expect(performance.now() - stoppedAt).toBeLessThan(3000);

    const again = folder.run();
    await again.until('it waits again', async () => (await statusOf(folder))?.state === 'degraded');
    const [host, target] = where.kafka.brokers.split(':') as [string, string];
    const door = createServer((socket) => {
      const broker = connect(Number(target), host);
      for (const [from, to] of [
        [socket, broker],
        [broker, socket],
      ] as const)
        from.pipe(to).on('error', () => from.destroy());
    }).listen(port, '127.0.0.1');
    try {
      await untilPublished(again, folder, 10);
      expect((await folder.api('/ready')).status).toBe(200);
      expect(await again.end('SIGTERM')).toBe(0);
    } finally {
      door.close();
    }
  });

  test('says once what to do about a mistake', async () => {
    const name = uniqueName('mistaken');
    const hub = hubText(where.kafka.brokers, name, ', tls: true');
    const folder = await HubFolder.create({ 'p.yaml': pipelineText(name) }, hub);
    const checked = await say(folder, 'validate', '--connect');
    expect(checked).toMatchObject({ code: 1 });
    expect(checked.said).toMatch(/speaks plaintext on this port; leave `tls` out, or use its TLS port\n/);
  });

  test('two hubs of a group share a topic, and one takes over what another held that was killed', async () => {
    const name = uniqueName('shared');
    const one = await HubFolder.create({}, '');
    const out = join(one.path, 'out');
    const make = async (): Promise<HubFolder> =>
      HubFolder.create({ 'p.yaml': pipelineText(name, { out, partitions: 8 }) }, hubText(where.kafka.brokers, name));
    const [first, second] = [await make(), await make()];
    const wanted = new Set([...lines('a', 0, 20_000), ...lines('b', 0, 20_000)]);
    await append(first, lines('a', 0, 20_000));
    await append(second, lines('b', 0, 20_000));
    const [killed, survivor] = [first.run(), second.run()];
    // Records that come while the partitions are being shared out are whoever's.
    for (let round = 0; !(await haveRead(first, second)); round++) {
      const some = lines('d', round * 100, round * 100 + 100);
      for (const line of some) wanted.add(line);
      await append(second, some);
      await sleep(100);
    }
    await killed.end('SIGKILL');
    const killedAt = performance.now();
    await append(second, lines('c', 0, 2000));
    for (const line of lines('c', 0, 2000)) wanted.add(line);
    const hasLater = async (): Promise<boolean> =>
      (await one.published('out')).filter((line) => line.startsWith('{"n":"c')).length >= 2000;
    await survivor.until('the survivor has all partitions', hasLater, 30_000);
    expect(performance.now() - killedAt).toBeLessThan(15_000);

    const back = first.run();
    const missing = async (): Promise<string[]> => {
      const published = new Set(await one.published('out'));
      return [...wanted].filter((line) => !published.has(line));
    };
    await back.until('it is back', async () => (await statusOf(first))?.state === 'running');
    await back.until('nothing is missing', async () => (await missing()).length === 0, 30_000);
    // A third hub that shall end by itself does so when the others have saved what is theirs.
    const third = await make();
    await append(third, lines('e', 0, 10));
    for (const line of lines('e', 0, 10)) wanted.add(line);
    expect(await third.run('--once', '--timeout', '30s').exit()).toBe(0);
    expect(await missing()).toEqual([]);
    expect(await Promise.all([back.end('SIGTERM'), survivor.end('SIGTERM')])).toEqual([0, 0]);
    expect((await one.published('out')).filter((line) => !wanted.has(line))).toEqual([]);
  });

  test('a hub whose identity another one took over stops for good, and says why', async () => {
    const name = uniqueName('twin');
    const make = (): Promise<HubFolder> =>
      HubFolder.create({ 'p.yaml': pipelineText(name) }, `${hubText(where.kafka.brokers, name)}host: twin\n`);
    const [first, second] = [await make(), await make()];
    await append(first, lines('a', 0, 10));
    const replaced = first.run();
    await untilPublished(replaced, first, 10);
    const successor = second.run();
    await append(second, lines('b', 0, 10));
    await untilPublished(successor, second, 10);
    await append(first, lines('a', 10, 20));
    await replaced.until('it is told', async () => (await statusOf(first))?.state === 'failed');
    expect((await statusOf(first))?.reason).toContain('another hub with the same identity took over');
    expect(await statusOf(second)).toMatchObject({ state: 'running', reason: null });
    expect(await successor.end('SIGTERM')).toBe(0);
    expect(await replaced.end('SIGTERM')).toBe(4);
  });
});

serverSuite('a hub on a secured Kafka', ['kafka-secured'], (where) => {
  afterEach(cleanUp);

  const sasl = (username: string): string =>
    `, sasl: { mechanism: plain, username: ${username}, password: '\${env:PASSWORD_OF_KAFKA}', insecure_without_tls: true }`;

  test('a wrong password and a missing right are said with their remedy, and no secret is', async () => {
    const name = uniqueName('secured');
    const { sasl_plaintext: brokers } = where['kafka-secured'];
    const folder = await HubFolder.create({ 'p.yaml': pipelineText(name) }, hubText(brokers, name, sasl('alice')));
    const everything: string[] = [];
    const ask = async (...args: string[]): Promise<{ code: number; said: string }> => {
      const answer = await say(folder, ...args);
      everything.push(answer.said);
      return answer;
    };
    expect(await ask('run')).toMatchObject({ code: 2, said: containing('${env:PASSWORD_OF_KAFKA}') });
    folder.env.PASSWORD_OF_KAFKA = 'canary-wrong';
    expect(await ask('validate', '--connect')).toMatchObject({
      code: 1,
      said: matching(/kafka: .*; check `sasl`, and that the user exists for this mechanism\n/),
    });
    const hub = folder.run();
    await hub.until('it tells the fault', async () => (await statusOf(folder))?.state === 'backing_off');
    everything.push((await folder.api('/status')).body);
    expect(await hub.end('SIGTERM')).toBe(0);
    everything.push(hub.stdout + hub.stderr);
    expect(hub.stderr).toMatch(/state=backing_off reason=".*(credentials|password)/i);

    folder.env.PASSWORD_OF_KAFKA = 'alice-secret';
    expect(await ask('validate', '--connect')).toMatchObject({ code: 0 });
    folder.env.PASSWORD_OF_KAFKA = 'bob-secret';
    await folder.write('bob.yaml', `data_dir: data\npipelines: ['p.yaml']\n${hubText(brokers, name, sasl('bob'))}`);
    const denied = await ask('validate', '--connect', '-c', 'bob.yaml');
    expect(denied).toMatchObject({ code: 1, said: containing('access control') });
    expect(denied.said).toContain('TOPIC_AUTHORIZATION_FAILED); have it allowed to this user (kafka-acls)');
    await ask('plan');
    await ask('plan', '--json');
    for (const secret of ['canary-wrong', 'alice-secret', 'bob-secret'])
      expect(everything.join('\n')).not.toContain(secret);
  });
});
