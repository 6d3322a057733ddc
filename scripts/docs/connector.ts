import type { ConnectorDefinition, JobSinkDefinition, SinkDefinition, SourceDefinition } from '../../src/api/index.ts';
import { connectorReference, exampleEntry, formatDuration, type OptionReference } from '../../src/config/index.ts';
import { fenced, table } from './markdown.ts';

/** What the README of a connector's folder says of each of its definitions. */
export async function connectorSections(definitions: readonly ConnectorDefinition[]): Promise<string> {
  return (await Promise.all(definitions.map(section))).join('\n\n');
}

async function section(definition: ConnectorDefinition): Promise<string> {
  const { kind, name, summary } = definition;
  const title = kind === 'source' ? 'Source' : 'Sink';
  const facts = kind === 'source' ? sourceFacts(definition) : sinkFacts(definition);
  const options = connectorReference(definition);
  const examples = await Promise.all(
    definition.examples.map(async ({ title: purpose, options: written }) => {
      const entry = (await exampleEntry(definition, written)).replaceAll(/^/gm, '  ').trimEnd();
      return `${purpose}:\n\n${fenced('yaml', `${kind}s:\n${entry}`)}`;
    }),
  );
  return [
    `### ${title} \`${name}\``,
    summary,
    facts.map((fact) => `- ${fact}`).join('\n'),
    options.length === 0 ? 'None.' : optionTable(options),
    ...examples,
  ].join('\n\n');
}

export function optionTable(options: readonly OptionReference[]): string {
  const rows = options.map(({ path, type, default: standard, isRequired, description }) => [
    `\`${path}\``,
    type,
    isRequired ? 'required' : standard === null ? '' : `\`${standard}\``,
    description,
  ]);
  return table(['option', 'type', 'default', 'meaning'], rows);
}

function sourceFacts({ stability, rewinds, ends, dedupe }: SourceDefinition): string[] {
  return [
    `${stability}; ${
      rewinds
        ? 'its input can be read again, so it is exactly-once on the embedded log, and into Kafka with `delivery: exactly_once`'
        : 'at-least-once: its input cannot be read again'
    }`,
    ends ? 'ends with `run --once`' : 'its input never ends: `run --once` does not start it',
    ...(dedupe === undefined
      ? []
      : [`repeats of a client are kept out for ${formatDuration(dedupe.windowMs)}, by ids that the client gives`]),
  ];
}

function sinkFacts(definition: SinkDefinition | JobSinkDefinition): string[] {
  if (definition.takes === 'ranges')
    return [
      `${definition.stability}; ${definition.promise}, if the job keeps its contract`,
      'takes ranges of offsets: one batch at a time, of all partitions together',
    ];
  const { stability, promise, order } = definition;
  const overlap = 'needsOrder' in definition ? 'may overlap, where its options allow it' : 'may overlap';
  return [
    `${stability}; ${promise}`,
    order === 'partition' ? 'keeps the order within a partition' : `writes of a partition ${overlap}`,
  ];
}
