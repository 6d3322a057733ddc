import type { Registry } from '../registry/index.ts';
import { crossCheck } from './cross-checks.ts';
import { findPipelines } from './find-pipelines.ts';
import type { LoadContext } from './load-context.ts';
import { loadHubFile } from './load-hub-file.ts';
import { loadPipeline } from './load-pipeline.ts';
import type { PipelineDraft } from './pipeline-draft.ts';
import type { HubPlan } from './plan.ts';
import { ProblemList, type Problem } from './problems.ts';
import { DEFAULT_REFERENCES } from './references.ts';
import { createValidator } from './validator.ts';

export interface LoadHubOptions {
  /** The hub file; `sluice.yaml` in `cwd` when it is not given, and defaults when that is not there. */
  readonly file?: string;
  /** Names of the hub's pipelines, or files, which may lie anywhere; none for all of the hub. */
  readonly pipelines: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly registry: Registry;
  /** References without a value are errors instead of warnings, and values must be what options want. */
  readonly resolve?: boolean;
}

export interface LoadedHub {
  /** Null when there is an error among the problems. */
  readonly plan: HubPlan | null;
  /** All of them, sorted by file, line and column. */
  readonly problems: readonly Problem[];
}

/** Reads and checks everything that a hub is configured by. Never throws for what a file says. */
export async function loadHub(options: LoadHubOptions): Promise<LoadedHub> {
  const { pipelines: wanted, cwd, env, registry, resolve = false } = options;
  const problems = new ProblemList();
  const context: LoadContext = {
    registry,
    problems,
    validate: await createValidator(),
    references: { references: DEFAULT_REFERENCES, env },
    resolve,
    cwd,
  };
  const hub = await loadHubFile(context, options);
  if (hub === null) return { plan: null, problems: problems.sorted() };
  const files = await findPipelines(hub, wanted, { cwd, problems });
  const drafts: PipelineDraft[] = [];
  const references = { references: hub.plan.references, env };
  for (const file of files) drafts.push(await loadPipeline({ ...context, references }, file));
  const pipelines = crossCheck(drafts, hub, { problems, cwd });
  const plan = problems.hasErrors ? null : { ...hub.plan, pipelines };
  return { plan, problems: problems.sorted() };
}
