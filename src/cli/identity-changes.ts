import type { SavedView } from '../log/index.ts';
import { counted } from './numbers.ts';
import type { PlannedLeg, PlannedPipeline } from './planned-pipelines.ts';

/** A source or sink that has no saved state yet, or whose state nobody has any more. */
export interface IdentityChange {
  readonly pipeline: string;
  readonly kind: 'source' | 'sink';
  readonly name: string;
  readonly change: 'new' | 'gone';
  /** What follows from it, for people. */
  readonly text: string;
}

/** Which identities appear and which disappear: renaming a pipeline, a source or a sink means to start it anew. */
export function identityChanges(
  pipelines: readonly PlannedPipeline[],
  view: SavedView,
  where: 'embedded' | 'kafka',
): readonly IdentityChange[] {
  const saved = new Map(view.pipelines.map((state) => [state.pipeline, namesOf(state)]));
  const appeared = pipelines.flatMap((pipeline) => {
    const names = saved.get(pipeline.name) ?? { sink: [], source: [] };
    return pipeline.legs
      .filter(({ kind, name, isSaved }) => isSaved && !names[kind].includes(name))
      .map((leg) => newLeg(pipeline, leg, view));
  });
  const disappeared = [...saved].flatMap(([name, names]) => {
    const legs = pipelines.find((pipeline) => pipeline.name === name)?.legs ?? [];
    return (['source', 'sink'] as const).flatMap((kind) =>
      names[kind]
        .filter((each) => !legs.some((leg) => leg.kind === kind && leg.name === each))
        .map((each) => goneLeg(name, kind, { name: each, where })),
    );
  });
  return [...appeared, ...disappeared];
}

function namesOf({ sinks, sources }: SavedView['pipelines'][number]): Record<PlannedLeg['kind'], string[]> {
  return {
    sink: [...new Set(sinks.map(({ sink }) => sink))],
    source: [...new Set(sources.map(({ source }) => source))],
  };
}

function newLeg(
  { name: pipeline, topic }: PlannedPipeline,
  { kind, name, start }: PlannedLeg,
  view: SavedView,
): IdentityChange {
  const change = { pipeline, kind, name, change: 'new' } as const;
  if (kind === 'source')
    return { ...change, text: `source ${pipeline}/${name} has no checkpoint: it begins at its beginning` };
  const from =
    start === 'latest'
      ? 'the latest offset'
      : `the earliest offset (${counted(recordsOf(view, topic.name), 'record')})`;
  return { ...change, text: `sink ${pipeline}/${name} is new: it reads from ${from}` };
}

function recordsOf({ topics }: SavedView, topic: string): number {
  const found = topics.find(({ name }) => name === topic);
  return found?.ends.reduce((sum, end, partition) => sum + end - (found.starts[partition] ?? 0), 0) ?? 0;
}

function goneLeg(
  pipeline: string,
  kind: PlannedLeg['kind'],
  { name, where }: { name: string; where: 'embedded' | 'kafka' },
): IdentityChange {
  const saved = kind === 'source' ? 'its checkpoint is kept' : 'its offsets are kept';
  // Kafka keeps records whether somebody wants them or not.
  const kept = kind === 'sink' && where === 'embedded' ? 'its topic keeps what it has not read' : saved;
  const text = `${kind} ${pipeline}/${name} is gone; ${kept} until: sluice offsets forget ${pipeline}/${name}`;
  return { pipeline, kind, name, change: 'gone', text };
}
