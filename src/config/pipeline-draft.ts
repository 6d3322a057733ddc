import { relative } from 'node:path';
import type { LegDraft } from './load-leg.ts';
import type { PipelinePlan } from './plan.ts';
import type { ValuePath } from './problems.ts';
import { isObject } from './schema.ts';
import type { YamlFile } from './yaml-file.ts';

/** A pipeline as far as it could be understood, for what can only be seen over all of them. */
export interface PipelineDraft {
  readonly file: YamlFile;
  /** Null when it is missing or no name. */
  readonly name: string | null;
  readonly topic: string | null;
  /** Null for `dead_letter: off`, and when it cannot be told. */
  readonly deadLetterTopic: string | null;
  readonly writesTopic: boolean;
  readonly legs: readonly LegDraft[];
  /** Null when anything that it is made of is wrong. */
  readonly plan: PipelinePlan | null;
}

/** `pipelines/a.yaml:3`, as somebody in `cwd` would open it. */
export function whereIs({ file }: PipelineDraft, path: ValuePath, cwd: string): string {
  const shown = relative(cwd, file.file);
  return `${shown.startsWith('..') ? file.file : shown}:${file.place(path, 'key').line}`;
}

/** Where the name of its topic stands. */
export function topicPath({ value }: YamlFile): ValuePath {
  return isObject(value) && isObject(value.topic) ? ['topic', 'name'] : ['topic'];
}
