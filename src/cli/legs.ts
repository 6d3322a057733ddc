import { dirname, relative, resolve } from 'node:path';
import type { LegPlan, PipelinePlan } from '../config/index.ts';

/** `file(access)`, `http(:8080)`, `file(out/)`, `console`: the connector, and what tells it from others. */
export function legLabel(leg: LegPlan, pipeline: Pick<PipelinePlan, 'file'>, cwd: string): string {
  const detail = leg.name === leg.connector ? detailOf(leg, dirname(pipeline.file), cwd) : leg.name;
  return detail === null ? leg.connector : `${leg.connector}(${detail})`;
}

/** What two options say that many connectors have: where it listens, where it writes. */
function detailOf(leg: LegPlan, baseDir: string, cwd: string): string | null {
  const listen = textOption(leg, 'listen');
  if (listen !== null) return listen.replace(/^(127\.0\.0\.1|localhost|\[::1\]):/, ':');
  const path = textOption(leg, 'path');
  if (path === null || path.includes('${')) return null;
  const [literal = ''] = path.split('{{');
  const shown = relative(cwd, resolve(baseDir, literal));
  return `${shown === '' ? '.' : shown}/`;
}

/** An option as it is written in the file; null unless it is text. */
export function textOption({ options }: LegPlan, name: string): string | null {
  if (typeof options !== 'object' || options === null || !(name in options)) return null;
  const value = (options as Record<string, unknown>)[name];
  return typeof value === 'string' ? value : null;
}
