import { join } from 'node:path';
import { freePorts } from '../../../src/testing/free-ports.ts';
import { createHub, drain, HubProcess, type Hub } from '../hub.ts';
import { NumberedLines } from '../numbered-lines.ts';
import type { Proof, Result } from '../proof.ts';
import { countPublished } from '../published.ts';
import { mistakes, waysIn, type KafkaSetting } from './security-cases.ts';
import type { Servers } from './servers.ts';
import { until } from './waiting.ts';
import { statusOf } from './watch.ts';

const pipeline = (name: string): string => `name: prove-${name}
sources:
  - file: { include: ['in/*.log'] }
topic: { name: prove-${name}, partitions: 2 }
sinks:
  - file: { path: out }
`;

/** A hub works through each way to prove who it is, and names each usual mistake, at `validate --connect` and while it runs. */
export async function proveSecurity({ folder, lines }: Proof, servers: Servers): Promise<Result> {
  const where = await servers.shared('kafka-secured');
  const total = { expected: 0, rows: 0, lost: 0, duplicated: 0 };
  const problems: string[] = [];
  const ways = Object.entries(waysIn(where));
  const linesEach = Math.ceil(lines / ways.length);
  for (const [name, kafka] of ways) {
    const hub = await hubOf(folder, name, kafka);
    await new NumberedLines(join(hub.folder, 'in'), linesEach).growTo(linesEach);
    await drain(hub);
    const { rows, lost, duplicated, strange } = await countPublished(join(hub.folder, 'out'), linesEach);
    total.expected += linesEach;
    total.rows += rows;
    total.lost += lost;
    total.duplicated += duplicated;
    if (strange > 0) problems.push(`${name}: ${strange} torn or foreign lines`);
  }
  const [closedPort] = (await freePorts(1)) as [number];
  const wrong = Object.entries(mistakes(where, closedPort));
  const said: string[] = [];
  for (const [name, { kafka, says }] of wrong) {
    const hub = await hubOf(folder, name, kafka);
    const [byValidate, byStatus] = await Promise.all([askValidate(hub, says), askStatus(hub, says)]);
    // Behind it is what to do.
    said.push(`${name}: ${byValidate.line.split('; ')[0]!}`);
    problems.push(...[...byValidate.problems, ...byStatus].map((problem) => `${name}: ${problem}`));
  }
  const note = `${ways.map(([name]) => name).join(', ')} work; ${wrong.length} mistakes are named: ${said.join(' | ')}`;
  return { ...total, note, problems, unjudged: [] };
}

function hubOf(folder: string, name: string, kafka: KafkaSetting): Promise<Hub> {
  return createHub(join(folder, name), pipeline(name), [`kafka: ${JSON.stringify(kafka)}`]);
}

async function askValidate(hub: Hub, says: RegExp): Promise<{ line: string; problems: string[] }> {
  const life = new HubProcess(hub, ['validate', '--connect']);
  const { code } = await life.ended;
  const line = life.output.split('\n').find((text) => says.test(text));
  const problems = [
    ...(code === 1 ? [] : [`validate --connect ended with ${code}`]),
    ...(line === undefined ? [`validate --connect does not say ${says}:\n${life.output}`] : []),
  ];
  return { line: line ?? '', problems };
}

async function askStatus(hub: Hub, says: RegExp): Promise<string[]> {
  const life = new HubProcess(hub, ['run']);
  let reason: string | null = null;
  try {
    await until(
      `the status says ${says}`,
      async () => {
        reason = (await statusOf(hub))?.reason ?? null;
        return reason !== null && says.test(reason);
      },
      { hubs: [life], deadlineMs: 30_000 },
    );
    return [];
  } catch (error) {
    return [`${(error as Error).message}\nthe status said ${reason}`];
  } finally {
    await life.kill();
  }
}
