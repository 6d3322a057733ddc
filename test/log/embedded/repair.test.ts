import { checkDataFolder, repairDataFolder, type RepairFinding } from '../../../src/log/index.ts';
import { decodeFrame, encodeFrame, type GenerationHeader } from '../../../src/log/embedded/journal-frame.ts';
import { FaultyDisk } from '../../../src/testing/index.ts';
import { DATA_DIR, planOf, SMALL } from './support/life.ts';
import { readRecords } from './support/model.ts';
import { contents, damage, isSegment, pathsOf, Scene } from './support/scene.ts';

jest.setTimeout(120_000);

/** Several segments, two generations of the journal. */
const LIMITS = { ...SMALL, journalBytes: 2500 };
const plan = planOf('orders');
const values = Array.from({ length: 24 }, (_, number) => `value ${number}`);
const journals = `${DATA_DIR}/journals/orders`;
const topicFile = `${DATA_DIR}/topics/orders/topic.json`;

async function filled(): Promise<FaultyDisk> {
  const disk = new FaultyDisk(1);
  const scene = await Scene.begin(disk, [plan], LIMITS);
  await scene.putAt(2, 'x');
  for (const value of values) await scene.put(value);
  await scene.drain();
  await scene.end();
  return disk;
}

async function isDamaged(disk: FaultyDisk): Promise<boolean> {
  for await (const { ok } of checkDataFolder({ dataDir: DATA_DIR, fileSystem: disk.mount() })) if (!ok) return true;
  return false;
}

async function repair(disk: FaultyDisk, execute: boolean): Promise<RepairFinding[]> {
  const findings: RepairFinding[] = [];
  const options = { dataDir: DATA_DIR, execute, keepIn: 'now', fileSystem: disk.mount() };
  for await (const finding of repairDataFolder(options)) findings.push(finding);
  return findings;
}

/** Whoever runs on the folder next finds all but the records that were said to be lost, and goes on. */
async function expectMended(
  disk: FaultyDisk,
): Promise<{ findings: RepairFinding[]; position: unknown; lost: string[] }> {
  const before = contents(disk, DATA_DIR);
  const told = await repair(disk, false);
  expect(contents(disk, DATA_DIR)).toEqual(before);
  const findings = await repair(disk, true);
  expect(findings).toEqual(told);
  expect(findings.map(({ remedy }) => remedy)).not.toContain(null);
  expect(await isDamaged(disk)).toBe(false);
  expect(await repair(disk, true)).toEqual([]);
  disk.crash();
  const scene = await Scene.begin(disk, [plan], LIMITS);
  const position = await scene.position();
  const records = async (): Promise<{ offset: number; value: string }[]> =>
    readRecords(await scene.life.view(), 'orders', 0);
  const kept = await records();
  for (const { offset, value } of kept) expect(value).toBe(values[offset]);
  const neighbour = await scene.values(2).catch(() => []);
  const found = [...kept.map(({ value }) => value), ...neighbour];
  const lost = ['x', ...values].filter((value) => !found.includes(value));
  expect(found.length + lost.length).toBe(values.length + 1);
  expect(findings.reduce((sum, finding) => sum + offsetsGivenUp(finding), 0)).toBe(lost.length);
  await scene.put('more');
  expect(await records()).toEqual([...kept, { offset: values.length, value: 'more' }]);
  await scene.drain();
  await scene.end();
  return { findings, position, lost };
}

function offsetsGivenUp({ remedy }: RepairFinding): number {
  const [, from, to] = /offsets? (\d+)(?: to (\d+))? (?:is|are) given up/.exec(remedy!) ?? [];
  return from === undefined ? 0 : Number(to ?? from) - Number(from) + 1;
}

const isIndex = (path: string): boolean => /\.(time)?index$/.test(path);
const ofOrders = (path: string): boolean => path.includes('/orders/') && !isIndex(path);

test('a byte becomes another anywhere: what check finds, repair mends, and at the most one batch is lost', async () => {
  const disk = await filled();
  let found = 0;
  for (const path of pathsOf(disk, ofOrders))
    for (let at = 0; at < disk.contentOf(path).length; at += 13) {
      const copy = disk.copy(at);
      damage(copy, path, at);
      if (!(await isDamaged(copy))) continue;
      found++;
      const { lost, position } = await expectMended(copy);
      expect(lost.length).toBe(isSegment(path) ? 1 : 0);
      expect(values).toContain(position);
    }
  expect(found).toBeGreaterThan(150);
});

test('a file is cut short anywhere, or gone: only what it held is lost', async () => {
  const disk = await filled();
  let found = 0;
  for (const path of pathsOf(disk, ofOrders))
    for (let length = -1; length < disk.contentOf(path).length; length += length < 0 ? 1 : 37) {
      const copy = disk.copy(length + 1);
      if (length < 0) copy.take(path);
      else copy.replace(path, copy.contentOf(path).subarray(0, length));
      if (!(await isDamaged(copy)) && length >= 0) continue;
      found++;
      const held = isSegment(path)
        ? ['x', ...values].filter((value) => disk.contentOf(path).includes(`${value}\0`))
        : [];
      const { lost } = await expectMended(copy);
      expect(held).toEqual(expect.arrayContaining(lost));
    }
  expect(found).toBeGreaterThan(50);
});

test('without any journal the records are all there, and it is said that nothing tells where anybody stood', async () => {
  const disk = await filled();
  disk.take(journals);
  const { findings, position, lost } = await expectMended(disk);
  expect(findings).toEqual([
    expect.objectContaining({ path: journals, remedy: expect.stringContaining('begin as new ones do') as string }),
  ]);
  expect([position, lost]).toEqual([undefined, []]);
});

test('what is written over is kept', async () => {
  const disk = await filled();
  const [segment] = pathsOf(disk, (path) => isSegment(path) && path.includes('/orders/0/')) as [string];
  const snapshots = pathsOf(disk, (path) => path.startsWith(journals) && path.endsWith('.snapshot'));
  const paths = [segment, topicFile, ...snapshots];
  for (const path of paths) damage(disk, path, 30);
  const damaged = new Map(paths.map((path) => [path, disk.contentOf(path)]));
  await repair(disk, true);
  const kept = (path: string): string => path.replace(DATA_DIR, `${DATA_DIR}/damaged/now`);
  for (const path of [topicFile, ...snapshots]) expect(disk.contentOf(kept(path))).toEqual(damaged.get(path));
  const batch = disk.contentOf(`${kept(segment)}.0`);
  expect(batch).toEqual(damaged.get(segment)!.subarray(0, batch.length));
});

test('a journal of a newer Sluice is refused, and nothing of its topic is touched', async () => {
  const disk = await filled();
  for (const path of pathsOf(disk, (one) => one.startsWith(journals))) {
    const bytes = disk.contentOf(path);
    const { content, next } = decodeFrame(bytes, 0)!;
    const newer = { ...(content as GenerationHeader), version: 2 as number as 1 };
    disk.replace(path, Buffer.concat([encodeFrame(newer), bytes.subarray(next)]));
  }
  const before = contents(disk, DATA_DIR);
  const findings = await repair(disk, true);
  expect(findings).toEqual([expect.objectContaining({ path: journals, remedy: null })]);
  expect(findings[0]!.fault).toContain('a newer Sluice wrote it (version 2)');
  expect(contents(disk, DATA_DIR)).toEqual(before);
});
