import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createHub, HubProcess } from '../hub.ts';
import type { Servers } from '../kafka/servers.ts';
import { openClient, readAll } from '../kafka/topics.ts';
import { until } from '../kafka/waiting.ts';
import type { Proof, Result } from '../proof.ts';
import { kafkaFeed } from './kafka-feed.ts';
import { recordOf } from './numbered-records.ts';
import type { PoisonTarget } from './targets/poison-target.ts';

const POISON_EVERY = 100;
const ROUNDS = 3;
/** Of the clean rate. */
const LEAST_SHARE = 0.8;
const LOOK_MS = 200;
const WITHIN_MS = 300_000;

interface Outcome {
  readonly rate: number;
  readonly problems: readonly string[];
  readonly delivered: number;
  readonly refused: number;
}

/** One record in a hundred is refused for good: how much slower is the stream, and is each of them a dead letter? Clean streams and poisoned ones take turns. */
export function provePoisonedSink(
  name: string,
  open: (part: string, servers: Servers) => Promise<PoisonTarget>,
): (proof: Proof, servers: Servers) => Promise<Result> {
  return async ({ folder, lines }, servers) => {
    const { brokers } = await servers.shared('kafka');
    const target = await open(name, servers);
    const rates = { clean: 0, poisoned: 0 };
    const outcomes: Outcome[] = [];
    try {
      for (let round = 0; round < ROUNDS; round++) {
        for (const kind of ['clean', 'poisoned'] as const) {
          const run = { name: `${name}-${kind}-${round}`, brokers, lines, isPoisoned: kind === 'poisoned' };
          const outcome = await runOnce(join(folder, run.name), run, target);
          outcomes.push(outcome);
          // The best of its kind: what else the machine does only makes it slower.
          rates[kind] = Math.max(rates[kind], outcome.rate);
        }
      }
    } finally {
      await target.end();
    }
    const share = rates.poisoned / rates.clean;
    const sum = (of: (outcome: Outcome) => number): number => outcomes.reduce((all, one) => all + of(one), 0);
    const expected = outcomes.length * lines;
    const rows = sum(({ delivered, refused }) => delivered + refused);
    return {
      expected,
      rows,
      lost: Math.max(0, expected - rows),
      duplicated: Math.max(0, rows - expected),
      note: `${thousands(rates.poisoned)}/s of ${thousands(rates.clean)}/s, ${Math.round(share * 100)} %; ${sum(({ refused }) => refused).toLocaleString('en-US')} refused, each a dead letter`,
      problems: [
        ...outcomes.flatMap(({ problems }) => problems),
        ...(share < LEAST_SHARE ? [`${Math.round(share * 100)} % of the clean rate, not ${LEAST_SHARE * 100} %`] : []),
      ],
      unjudged: [],
    };
  };
}

interface Run {
  readonly name: string;
  readonly brokers: string;
  readonly lines: number;
  readonly isPoisoned: boolean;
}

/** A topic that is full before the hub starts. The rate is that from the first records in the target to the last, so without the start. */
async function runOnce(
  folder: string,
  { name, brokers, lines, isPoisoned }: Run,
  target: PoisonTarget,
): Promise<Outcome> {
  await mkdir(folder);
  await target.make(name);
  const feed = await kafkaFeed(brokers, name, isPoisoned ? valueOf(target.poison) : recordOf);
  await feed.growTo(lines);
  const poison = isPoisoned ? Math.ceil(lines / POISON_EVERY) : 0;
  const pipeline = `name: ${name}\ntopic: ${name}\nsinks:\n${target.sink(name)}    batch: { max_records: 5000 }\n`;
  const hub = await createHub(folder, pipeline, feed.settings);
  const life = new HubProcess(hub, ['run']);
  try {
    const watched = await watch(target, { name, wanted: lines - poison, life });
    const letters = await lettersOf({ name, brokers, lines, poison, life });
    const code = await life.kill('SIGTERM');
    return {
      rate: (watched.rate * lines) / (lines - poison),
      delivered: await target.count(name),
      refused: letters.distinct,
      problems: [
        ...letters.problems,
        ...(code === 0 ? [] : [`the hub ended with ${code}: ${life.output.slice(-500)}`]),
      ],
    };
  } finally {
    await life.kill();
    await feed.close();
    await target.drop(name);
  }
}

function valueOf(poison: string): (n: number) => string {
  return (n) => (n % POISON_EVERY === 0 ? `{"n":${n},${poison}}` : recordOf(n));
}

async function watch(
  target: PoisonTarget,
  { name, wanted, life }: { readonly name: string; readonly wanted: number; readonly life: HubProcess },
): Promise<{ readonly rate: number }> {
  let first: { readonly count: number; readonly at: number } | null = null;
  let rate = 0;
  const looked = async (): Promise<boolean> => {
    const at = performance.now();
    const count = await target.count(name);
    if (count > 0 && first === null) first = { count, at };
    else if (first !== null) rate = ((count - first.count) * 1000) / (at - first.at);
    return count >= wanted;
  };
  await until(`${wanted} records are there`, looked, { hubs: [life], deadlineMs: WITHIN_MS, everyMs: LOOK_MS });
  return { rate };
}

/** A record may be a dead letter twice after a crash only, and there is none here. */
async function lettersOf({
  name,
  brokers,
  lines,
  poison,
  life,
}: {
  readonly name: string;
  readonly brokers: string;
  readonly lines: number;
  readonly poison: number;
  readonly life: HubProcess;
}): Promise<{ readonly distinct: number; readonly problems: readonly string[] }> {
  const client = openClient(brokers);
  try {
    const read = async (): Promise<{ readonly count: number; readonly distinct: number; readonly foreign: number }> => {
      const seen = new Uint8Array(lines);
      let [count, foreign] = [0, 0];
      await readAll(client, `${name}.dead`, (value) => {
        count++;
        const n = Number(/^\{"n":(\d+),/.exec(value.toString())?.[1] ?? NaN);
        if (n % POISON_EVERY === 0) seen[n] = 1;
        else foreign++;
      });
      return { count, foreign, distinct: seen.reduce((sum, mark) => sum + mark, 0) };
    };
    if (poison === 0) return { distinct: 0, problems: [] };
    await until(`${poison} dead letters`, async () => (await read().catch(() => null))?.distinct === poison, {
      hubs: [life],
      deadlineMs: 60_000,
      everyMs: 500,
    });
    await sleep(1000);
    const { count, distinct, foreign } = await read();
    return {
      distinct,
      problems: [
        ...(foreign > 0 ? [`${foreign} dead letters of good records`] : []),
        ...(count > distinct + foreign ? [`${count - distinct - foreign} dead letters twice`] : []),
      ],
    };
  } finally {
    await client.close();
  }
}

function thousands(rate: number): string {
  return Math.round(rate).toLocaleString('en-US');
}
