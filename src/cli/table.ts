import type { PipelinePlan } from '../config/index.ts';
import type { HubStatus, SupervisedPipeline } from '../supervisor/index.ts';
import { legLabel } from './legs.ts';
import { grouped, rate, timeSpan } from './numbers.ts';
import type { Rates } from './rates.ts';

const HEAD = ['pipeline', 'state', 'in/s', 'out/s', 'lag', 'dead', 'behind'];
const WIDTHS = [0, 10, 9, 9, 7, 6, 8];

export interface TableOptions {
  readonly status: HubStatus;
  readonly plans: readonly PipelinePlan[];
  readonly rates: (pipeline: SupervisedPipeline) => Rates;
  readonly cwd: string;
}

/** The live display: a line for each pipeline, below it one for each of its legs. */
export function statusTable({ status, plans, rates, cwd }: TableOptions): string[] {
  const first = Math.max(HEAD[0]!.length, ...status.pipelines.map(({ name }) => name.length));
  const lines = [row(HEAD, first)];
  for (const pipeline of status.pipelines) {
    const plan = plans.find(({ name }) => name === pipeline.name)!;
    lines.push(pipelineLine(pipeline, rates(pipeline), first), ...legLines(pipeline, plan, cwd));
  }
  return lines;
}

function pipelineLine(pipeline: SupervisedPipeline, { recordsIn, delivered }: Rates, first: number): string {
  const { name, state, sinks, totals, reason } = pipeline;
  const lag = sinks.reduce((sum, sink) => sum + sink.lag, 0);
  const behindMs = Math.max(0, ...sinks.map((sink) => sink.behindMs));
  const numbers = [rate(recordsIn), rate(delivered), grouped(lag), grouped(totals.deadLettered), timeSpan(behindMs)];
  const line = row([name, state.replace('_', '-'), ...numbers], first);
  return reason === null ? line : `${line}   ${reason}`;
}

/** The first two columns to the left, numbers to the right. */
function row(cells: readonly string[], first: number): string {
  return cells
    .map((cell, column) =>
      column < 2 ? cell.padEnd(column === 0 ? first : WIDTHS[column]!) : cell.padStart(WIDTHS[column]!),
    )
    .join('  ');
}

function legLines({ sources, sinks, topic }: SupervisedPipeline, plan: PipelinePlan, cwd: string): string[] {
  const label = (name: string, legs: PipelinePlan['sources'] | PipelinePlan['sinks']): string =>
    legLabel(
      legs.find((leg) => leg.name === name)!,
      plan,
      cwd,
    );
  const legs = [
    ...sources.map((leg) => ({ label: label(leg.name, plan.sources), leg, text: statusText(leg), to: `→ ${topic}` })),
    ...sinks.map((leg) => ({ label: `→ ${label(leg.name, plan.sinks)}`, leg, text: sinkText(leg), to: '' })),
  ];
  const widest = Math.max(...legs.map((leg) => leg.label.length));
  const longest = Math.max(0, ...legs.filter(({ to }) => to !== '').map(({ text }) => text.length));
  return legs.map(({ label: name, leg, text, to }) => {
    const records = `${grouped(leg.records).padStart(13)} ${leg.records === 1 ? 'record ' : 'records'}`;
    return `  ${name.padEnd(widest)} ${records}   ${text.padEnd(to === '' ? 0 : longest)}   ${to}`.trimEnd();
  });
}

function sinkText(sink: SupervisedPipeline['sinks'][number]): string {
  const lag = sink.lag === 0 ? [] : [`${grouped(sink.lag)} behind`];
  return [...lag, statusText(sink)].filter((part) => part !== '').join(', ');
}

/** What is wrong comes before what the connector says. */
function statusText({
  state,
  reason,
  status,
}: SupervisedPipeline['sources'][number] | SupervisedPipeline['sinks'][number]): string {
  const isFine = state === 'running' || state === 'starting' || state === 'stopped';
  if (isFine) return status;
  const name = state.replace('_', '-');
  return [name, reason ?? status].filter((part) => part !== '').join(', ');
}
