import { mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writers, type ReadFile } from './support/foreign-positions.ts';
import { cleanUp, HubFolder } from './support/hub-folder.ts';
import { runHere } from './support/run-here.ts';

jest.setTimeout(60_000);
afterAll(cleanUp);

const programs = Object.keys(writers);

const pipelineOf = (program: string): string => `
name: ${program}
sources:
  - file: { include: ['${program}/*.log*'] }
    name: lines
    decode: text
topic: { name: ${program}, partitions: 1 }
sinks:
  - file: { path: 'out-${program}', format: raw, roll: { idle: 50ms } }
`;

/** Long enough for a fingerprint. */
const LONG = 'x'.repeat(1100);

/** What a program that was stopped in the midst of it has left behind: files that were rotated, replaced, truncated. */
async function logsOf(folder: string): Promise<ReadFile[]> {
  const at = (name: string): string => join(folder, name);
  const read = async (name: string, offset: number, path = at(name)): Promise<ReadFile> => {
    const { ino: inode, dev: device } = await stat(at(name));
    return { path, inode, device, offset };
  };
  await mkdir(folder);
  await writeFile(at('half.log'), 'half 1\nhalf 2\nhalf 3\n');
  await writeFile(at('rotated.log'), `${LONG}\nrotated 2\n`);
  await rename(at('rotated.log'), at('rotated.log.1'));
  await writeFile(at('rotated.log'), 'successor 1\n');
  await writeFile(at('truncated.log'), 'truncated 1\n');
  await writeFile(at('within.log'), 'within 1\nwithin 2\n');
  await writeFile(at('whole.log'), 'whole 1\n');
  await writeFile(at('replaced.log'), 'replaced 1\n');
  await writeFile(at('unknown.log'), 'unknown 1\n');
  return [
    await read('half.log', 7),
    await read('rotated.log.1', LONG.length + 1, at('rotated.log')),
    await read('truncated.log', 5000),
    await read('within.log', 12),
    await read('whole.log', 8),
    { ...(await read('replaced.log', 11)), inode: 1 },
    { ...(await read('half.log', 3)), inode: 2, path: at('gone.log') },
  ];
}

const DELIVERED = [
  'half 2',
  'half 3',
  'replaced 1',
  'rotated 2',
  'successor 1',
  'truncated 1',
  'unknown 1',
  'within 2',
];

test('positions of other programs go on as ours: no line twice, none left out, and what does not match is told', async () => {
  const folder = await HubFolder.create(Object.fromEntries(programs.map((name) => [`${name}.yaml`, pipelineOf(name)])));
  for (const program of programs) {
    const files = await logsOf(join(folder.path, program));
    const path = await writers[program]!(join(folder.path, `${program}-state`), files);
    const args = ['offsets', 'import', '--from', program, path, '--leg', `${program}/lines`];
    const dry = await runHere(folder.path, args);
    expect([program, dry.code, dry.stdout]).toEqual([program, 0, expect.stringContaining('4 positions would change')]);
    expect(dry.stdout).toMatch(/within\.log +- +9 +12 is within a line: begins with that line\n/);
    const left = dry.stderr.split('\n').filter((line) => line !== '');
    expect([program, left]).toEqual([
      program,
      expect.arrayContaining([
        expect.stringMatching(/truncated\.log .*it has 12 bytes, of which 5000 were read: .* read from its beginning$/),
        expect.stringMatching(/replaced\.log .*another file has this path now \(inode \d+\)$/),
        expect.stringMatching(/gone\.log .*no file of this source is it$/),
      ]),
    ]);
    expect(left).toHaveLength(program === 'fluentd' ? 4 : 3);
    expect((await runHere(folder.path, [...args, '--execute'])).stdout).toContain('4 positions changed.');
    // Once more changes nothing.
    expect((await runHere(folder.path, [...args, '--execute'])).stdout).toContain('nothing to change');
  }
  const run = folder.run('--once');
  expect([await run.exit(), run.stderr]).toEqual([0, expect.stringContaining('Everything is delivered')]);
  for (const program of programs)
    expect([program, await folder.published(`out-${program}`)]).toEqual([program, DELIVERED]);
});

test.each([
  ['taildir', '{"inode":1}', 'no position file of TAILDIR'],
  ['taildir', '[{"inode":1,"pos":-5,"file":"a"}]', 'entry 1: it has no offset'],
  ['sincedb', '1 0 5 100 1.5 /a\nnonsense\n', 'line 2: it is no line of a sincedb'],
  ['fluentd', '/a\t0000\n', 'line 1: it is no line of a pos_file'],
  ['fluent-bit', 'no database', 'reading what fluent-bit has kept'],
  ['filebeat', '{"op":"set","id":1}\n{"k":5}\n{"op":"set","id":2}\n{}\n', 'it names no state'],
  ['vector', '', 'file knows taildir, sincedb, fluentd, filebeat, fluent-bit'],
])('a damaged state of %s is refused as a whole (%#)', async (program, text, why) => {
  const folder = await HubFolder.create({ 'p.yaml': pipelineOf('taildir') });
  const name = program === 'filebeat' ? 'log.json' : 'state';
  await folder.write(name, text);
  expect(
    await runHere(folder.path, ['offsets', 'import', '--from', program, name, '--leg', 'taildir/lines']),
  ).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(why) as string,
  });
});
