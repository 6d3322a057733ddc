import { relative } from 'node:path';
import { kafkaPreview, type HubPlan, type PipelinePlan } from '../config/index.ts';
import { kafkaText } from './kafka-text.ts';
import { legLabel, textOption } from './legs.ts';
import { counted } from './numbers.ts';

interface BannerOptions {
  readonly plan: HubPlan;
  readonly version: string;
  readonly cwd: string;
  /** Then there is no API. */
  readonly once: boolean;
}

/** What runs and where to look, with a line feed at the end. */
export function banner({ plan, version, cwd, once }: BannerOptions): string {
  const head = [
    `sluice ${version}`,
    `hub ${plan.group}`,
    whereTopicsLive(plan, cwd),
    ...(once ? [] : apiAddress(plan)),
  ];
  const widest = Math.max(...plan.pipelines.map(({ name }) => name.length));
  const lines = plan.pipelines.map((pipeline) => `  ${pipeline.name.padEnd(widest)}   ${flow(pipeline, cwd)}`);
  const hint = once ? [] : [...tryLine(plan), '  Stop: Ctrl-C'];
  return `${[head.join(' · '), ...lines, ...hint].join('\n')}\n`;
}

function whereTopicsLive({ file, kafka, dataDir }: HubPlan, cwd: string): string {
  if (kafka !== null) return kafkaText(kafkaPreview({ file, kafka }));
  const shown = relative(cwd, dataDir);
  return `embedded log in ${shown === '' ? '.' : shown.startsWith('..') ? dataDir : shown}`;
}

function apiAddress({ api }: HubPlan): string[] {
  if (api === null || api.port === 0) return [];
  return [`http://${api.host.includes(':') ? `[${api.host}]` : api.host}:${api.port}`];
}

/** `file(access) + http(:8080) → quickstart (2 partitions) → file(out/), console` */
function flow(pipeline: PipelinePlan, cwd: string): string {
  const { topic } = pipeline;
  const sources = pipeline.sources.map((leg) => legLabel(leg, pipeline, cwd)).join(' + ');
  const sinks = pipeline.sinks.map((leg) => legLabel(leg, pipeline, cwd)).join(', ');
  const middle = `${topic.name} (${counted(topic.partitions, 'partition')})`;
  return [sources, middle, sinks].filter((part) => part !== '').join(' → ');
}

/** With one of these more is needed than a body. */
const NOT_FOR_EVERYBODY = new Set(['tls', 'auth', 'signature', 'allow', 'routes']);

/** A command that shows something at once, for the first HTTP source that everybody on this machine may post to. */
function tryLine({ pipelines }: HubPlan): string[] {
  for (const { sources } of pipelines) {
    for (const source of sources) {
      const listen = source.connector === 'http' ? textOption(source, 'listen') : null;
      const options = typeof source.options === 'object' && source.options !== null ? Object.keys(source.options) : [];
      if (listen === null || options.some((option) => NOT_FOR_EVERYBODY.has(option))) continue;
      // The formats of protocols do not take what anybody types.
      if (!['auto', 'json', 'ndjson', 'text'].includes(textOption(source, 'format') ?? 'auto')) continue;
      const address = listen.startsWith(':') ? `127.0.0.1${listen}` : listen;
      const path = textOption(source, 'path') ?? '/';
      if (!/^[\w.:[\]-]+$/.test(address) || address.endsWith(':0') || !/^[\w/.-]+$/.test(path)) continue;
      return [`  Try:  curl -d '{"hello":"world"}' http://${address}${path}`];
    }
  }
  return [];
}
