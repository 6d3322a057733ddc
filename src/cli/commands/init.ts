import { access, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { hubSchema, pipelineSchema } from '../../config/index.ts';
import { createRegistry } from '../../registry/index.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { CliIo } from '../io.ts';
import { writeOut } from '../write-out.ts';

const HUB = `# yaml-language-server: $schema=./schemas/hub.schema.json
# The hub. \`sluice validate\` finds mistakes, \`sluice plan\` shows what would run, \`sluice run\` runs it.
data_dir: .sluice
pipelines: ['pipelines/*.yaml']
api: { listen: '127.0.0.1:8686' } # /health, /ready, /status, /metrics
`;

const PIPELINE = `# yaml-language-server: $schema=../schemas/pipeline.schema.json
# Reads lines of JSON into a topic, and the topic into files and onto the terminal. Add lines to the input while it runs.
name: hello
sources:
  - file: { include: ['../input/*.ndjson'] }
topic: hello
sinks:
  - file: { path: '../out', format: ndjson }
  - console: {}
    name: errors
    where: value.level == "error"
`;

const INPUT = `{"level":"info","message":"Hello from Sluice"}
{"level":"error","message":"Only errors reach the terminal; all records reach the files in out/"}
{"level":"info","message":"Each record is in exactly one of them, whatever happens"}
`;

/** Writes a hub that runs, unless any of its files is there already. */
export async function init({ folder }: { readonly folder: string }, io: CliIo): Promise<ExitCode> {
  const root = resolve(io.cwd, folder);
  const files = await starterFiles();
  for (const name of Object.keys(files)) {
    if (!(await exists(join(root, name)))) continue;
    io.stderr.write(`sluice: ${relative(io.cwd, join(root, name))} is there already; nothing was written\n`);
    return EXIT.failed;
  }
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    // Somebody else may have made it since.
    await writeFile(join(root, name), text, { flag: 'wx' });
  }
  const shown = relative(io.cwd, root);
  const made = Object.keys(files).map((name) => `  ${join(shown, name)}`);
  const next = shown === '' ? 'sluice run' : `cd ${shown} && sluice run`;
  await writeOut(io, `Made a hub:\n${made.join('\n')}\nRun it: ${next}\n`);
  return EXIT.done;
}

async function starterFiles(): Promise<Readonly<Record<string, string>>> {
  const pipeline = pipelineSchema(await createRegistry().all());
  return {
    'sluice.yaml': HUB,
    'pipelines/hello.yaml': PIPELINE,
    'input/hello.ndjson': INPUT,
    'schemas/hub.schema.json': `${JSON.stringify(hubSchema(), null, 2)}\n`,
    'schemas/pipeline.schema.json': `${JSON.stringify(pipeline, null, 2)}\n`,
  };
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
