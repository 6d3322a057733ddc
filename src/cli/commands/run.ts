import { describeError, SluiceError } from '../../api/index.ts';
import { kafkaSettings, loadHub, type HubPlan } from '../../config/index.ts';
import { createRegistry, type Registry } from '../../registry/index.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { HubRun, type HubRunOptions } from '../hub-run.ts';
import type { CliIo } from '../io.ts';

export interface RunOptions extends HubRunOptions {
  /** The hub file; looked for when it is not given. */
  readonly config?: string;
  /** Names or files of pipelines; none for all of the hub. */
  readonly pipelines: readonly string[];
}

const NOTHING = 'there is no pipeline to run; `sluice init` makes a folder with one';

/** Runs the hub until it is told to stop, or with `once` until everything there is has been delivered. */
export async function run(options: RunOptions, io: CliIo): Promise<ExitCode> {
  const registry = createRegistry();
  const { config: file, pipelines } = options;
  const { plan, problems } = await loadHub({
    ...(file === undefined ? {} : { file }),
    pipelines,
    cwd: io.cwd,
    env: io.env,
    registry,
  });
  if (problems.length > 0) {
    const { printProblems } = await import('../problems.ts');
    printProblems(problems, io);
  }
  if (plan === null) return EXIT.usage;
  const complaint = plan.pipelines.length === 0 ? NOTHING : options.once ? await withoutEnd(plan, registry) : null;
  if (complaint !== null) {
    io.stderr.write(`sluice: ${complaint}\n`);
    return EXIT.usage;
  }
  const unresolved = kafkaComplaint(plan, io.env);
  if (unresolved !== null) {
    io.stderr.write(`sluice: ${unresolved}\n`);
    return EXIT.usage;
  }
  const hub = new HubRun(plan, options, io);
  try {
    return await hub.run();
  } catch (error) {
    io.stderr.write(`sluice: ${describeError(error)}\n`);
    return error instanceof SluiceError && error.code === 'DATA_FOLDER_IN_USE' ? EXIT.inUse : EXIT.failed;
  }
}

/** What the workers would only find one after the other. The settings themselves are dropped: they hold secrets. */
function kafkaComplaint({ file, kafka }: HubPlan, env: CliIo['env']): string | null {
  if (kafka === null) return null;
  try {
    kafkaSettings({ file, kafka }, env);
    return null;
  } catch (error) {
    return describeError(error);
  }
}

/** A listener's input never ends, so `once` does not start it: a pipeline of listeners only would do nothing. */
async function withoutEnd(plan: HubPlan, registry: Registry): Promise<string | null> {
  for (const { name, sources } of plan.pipelines) {
    const found = await Promise.all(sources.map(({ connector }) => registry.find('source', connector)));
    const isEndless = (source: (typeof found)[number]): boolean => source?.kind === 'source' && !source.ends;
    if (found.length > 0 && found.every(isEndless))
      return `pipeline ${name} has only sources whose input never ends; run it without --once`;
  }
  return null;
}
