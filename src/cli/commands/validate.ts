import { loadHub, type Problem } from '../../config/index.ts';
import { createRegistry } from '../../registry/index.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { CliIo } from '../io.ts';
import { counted } from '../numbers.ts';
import { jsonLine, printable } from '../printable.ts';
import { problemLines } from '../problems.ts';
import { writeOut } from '../write-out.ts';

export interface ValidateOptions {
  /** The hub file; looked for when it is not given. */
  readonly config?: string;
  /** Names or files of pipelines; none for all of the hub. */
  readonly pipelines: readonly string[];
  /** References without a value are errors. */
  readonly resolve: boolean;
  /** Connectors are asked whether they could start. */
  readonly connect: boolean;
  readonly json: boolean;
}

/** Prints everything that is wrong, or that nothing is. */
export async function validate(options: ValidateOptions, io: CliIo): Promise<ExitCode> {
  const { config: file, pipelines, resolve, connect, json } = options;
  const registry = createRegistry();
  const { cwd, env } = io;
  const { plan, problems } = await loadHub({
    ...(file === undefined ? {} : { file }),
    pipelines,
    cwd,
    env,
    registry,
    resolve,
  });
  const names = plan?.pipelines.map(({ name }) => name) ?? [];
  const faults =
    connect && plan !== null ? await (await import('../connect-check.ts')).checkConnections(plan, registry, env) : [];
  const isGood = plan !== null && faults.length === 0;
  if (json) await writeOut(io, jsonLine({ ok: isGood, pipelines: names, problems, unreachable: faults }));
  else {
    const unreachable = faults.map(({ pipeline, kind, leg, message }) => `${pipeline}, ${kind} ${leg}: ${message}`);
    const lines = [
      ...problemLines(problems, io),
      ...unreachable.map(printable),
      isGood ? goodLine(names, problems.length) : badLine(problems, faults.length),
    ];
    await writeOut(io, `${lines.join('\n')}\n`);
  }
  if (plan === null) return EXIT.usage;
  return isGood ? EXIT.done : EXIT.failed;
}

function goodLine(pipelines: readonly string[], warnings: number): string {
  if (pipelines.length === 0) return 'No pipeline was found. A folder with one: sluice init';
  const found = warnings === 0 ? 'nothing wrong' : `no errors, ${counted(warnings, 'warning')}`;
  return `${counted(pipelines.length, 'pipeline')}, ${found}. What would run: sluice plan`;
}

function badLine(problems: readonly Problem[], unreachable: number): string {
  if (unreachable > 0) return `${counted(unreachable, 'connector')} could not start here.`;
  const files = new Set(problems.map(({ file }) => file)).size;
  const found = `${counted(problems.length, 'problem')} in ${counted(files, 'file')}.`;
  const isAboutOptions = problems.some(({ code }) => code.endsWith('_OPTION') || code.endsWith('_CONNECTOR'));
  return isAboutOptions ? `${found} Options of a connector: sluice connectors NAME` : found;
}
