import type { HubEnd, PipelineResult } from '../supervisor/index.ts';
import { counted, grouped, timeSpan } from './numbers.ts';

/** `drained: sources stopped, 0 records in flight, offsets saved (0.1 s)` */
export function drainLine({ pipelines, elapsedMs }: HubEnd): string {
  const inFlight = pipelines.reduce((sum, pipeline) => sum + pipeline.inFlight, 0);
  const lost = pipelines.filter(({ outcome }) => outcome === 'lost');
  const took = `(${timeSpan(elapsedMs)})`;
  if (lost.length === 0 && inFlight === 0)
    return `drained: sources stopped, 0 records in flight, offsets saved ${took}`;
  const names = lost.length === 0 ? '' : ` of ${lost.map(({ name }) => name).join(', ')}`;
  const what = inFlight === 0 ? `what was in flight${names}` : counted(inFlight, 'record');
  return `stopped before everything was drained ${took}: ${what} will be read again at the next start`;
}

/** A line for each pipeline: what it did, and if there is one, what to do next. */
export function summaryLines({ pipelines }: HubEnd, once: boolean): string[] {
  return pipelines.map((pipeline) => `${pipeline.name}: ${did(pipeline)}. ${next(pipeline, once)}`.trimEnd());
}

function did({ recordsIn, delivered, dropped, deadLettered }: PipelineResult): string {
  const left = dropped === 0 ? [] : [`${grouped(dropped)} left out by \`where\``];
  const parts = [
    `${grouped(recordsIn)} in`,
    `${grouped(delivered)} delivered`,
    ...left,
    counted(deadLettered, 'dead letter'),
  ];
  return parts.join(', ');
}

function next({ name, outcome, reason, deadLettered }: PipelineResult, once: boolean): string {
  if (outcome === 'failed' || outcome === 'paused')
    return `It ${outcome === 'failed' ? 'failed' : 'is paused'}: ${reason ?? 'see the log'}`;
  if (deadLettered > 0) return `See why: sluice dlq show ${name}`;
  if (outcome === 'drained') return once ? 'Everything is delivered.' : '';
  return 'Run again to go on where this stopped.';
}
