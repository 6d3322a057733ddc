import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Proof, Result } from '../proof.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const plantedSink = join(root, 'test', 'cli', 'support', 'hasty-sink.ts');

interface Told {
  readonly ends: readonly string[];
  readonly recovery_ms: readonly number[];
  readonly again: string;
  readonly sinks: readonly {
    readonly sink: string;
    readonly expected: number;
    readonly delivered: number;
    readonly lost: number;
    readonly duplicated: number;
    readonly unjudged: string | null;
    readonly broken: readonly string[];
  }[];
}

/** `sluice prove` of a pipeline that comes with Sluice. */
export function proveExample(name: string, sample: readonly string[] | null): (proof: Proof) => Promise<Result> {
  return async (proof) => {
    const file = join(proof.folder, 'sample');
    if (sample !== null) await writeFile(file, sample.map((line) => `${line}\n`).join(''));
    const hub = join(proof.folder, 'sluice.yaml');
    await writeFile(hub, 'data_dir: data\n');
    const pipeline = join(root, 'pipelines', `${name}.yaml`);
    const flags = ['--config', hub, '--doubles', ...(sample === null ? [] : ['--sample', file])];
    const { told } = await prove(pipeline, proof, { flags });
    const judged = told.sinks.filter(({ unjudged }) => unjudged === null);
    const sum = (of: 'expected' | 'delivered' | 'lost'): number => judged.reduce((all, sink) => all + sink[of], 0);
    const repeated = judged.reduce((all, { duplicated }) => all + duplicated, 0);
    const slowest = Math.max(...told.recovery_ms) / 1000;
    return {
      expected: sum('expected'),
      rows: sum('delivered'),
      lost: sum('lost'),
      duplicated: 0,
      note: `${told.ends.length} ends; recovered within ${slowest.toFixed(1)} s${repeated > 0 ? `; ${repeated} twice, as its sinks may` : ''}`,
      problems: judged.flatMap(({ sink, broken }) => broken.map((what) => `${sink}: ${what}; ${told.again}`)),
      unjudged: [],
    };
  };
}

/** A sink that acknowledges before it writes has to be found. */
export async function provePlantedBug(proof: Proof): Promise<Result> {
  await mkdir(proof.folder, { recursive: true });
  const pipeline = join(proof.folder, 'hasty.yaml');
  await writeFile(
    pipeline,
    "name: hasty\nsources: [{ file: { include: ['in/*.log'] } }]\ntopic: hasty\nsinks: [{ file: { path: out } }]\n",
  );
  const env = { SLUICE_TESTING: '1', SLUICE_TEST_CONNECTORS: plantedSink };
  const { told, code } = await prove(pipeline, proof, { env });
  const isFound = code === 1 && told.sinks.every(({ broken }) => broken.some((what) => what.endsWith(' lost')));
  const note = `found: ${told.sinks.map(({ broken }) => broken.join(', ')).join('; ')}`;
  return {
    expected: proof.lines,
    rows: proof.lines,
    lost: 0,
    duplicated: 0,
    note,
    problems: isFound ? [] : [`the planted bug was not found; ${told.again}`],
    unjudged: [],
  };
}

function prove(
  pipeline: string,
  { folder, lines, kills, seed }: Proof,
  { flags = [], env = {} }: { flags?: readonly string[]; env?: Readonly<Record<string, string>> },
): Promise<{ told: Told; code: number }> {
  const main = join(root, 'src', 'cli', 'main.ts');
  const sizes = ['--records', String(lines), '--kills', String(kills), '--seed', String(seed)];
  const parameters = ['-C', 'sluice-source', main, 'prove', pipeline, '--json', ...sizes, ...flags];
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      parameters,
      { cwd: folder, env: { ...process.env, ...env } },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : Number(error.code);
        if (stdout === '') reject(new Error(`sluice prove ended with ${code}: ${stderr}`));
        else resolve({ told: JSON.parse(stdout) as Told, code });
      },
    );
  });
}
