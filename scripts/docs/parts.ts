import { type ConnectorDefinition, errorCatalogue, type ErrorCode } from '../../src/api/index.ts';
import { EXIT_MEANING } from '../../src/cli/exit.ts';
import { commonReference, problemCatalogue } from '../../src/config/index.ts';
import { METRIC } from '../../src/telemetry/index.ts';
import { connectorSections, optionTable } from './connector.ts';
import { table } from './markdown.ts';
import { remedies } from './remedies.ts';

/** The generated parts of the documents in docs/, by name. */
export function documentParts(): Readonly<Record<string, string>> {
  const { hub, pipeline, source, sink } = commonReference();
  return {
    hub: optionTable(hub),
    pipeline: optionTable(pipeline),
    source: optionTable(source),
    sink: optionTable(sink),
    'exit-codes': table(
      ['code', 'meaning'],
      EXIT_MEANING.map(([code, meaning]) => [String(code), meaning]),
    ),
    errors: errorTable(),
    problems: table(
      ['code', 'meaning'],
      Object.entries(problemCatalogue).map(([code, meaning]) => [`\`${code}\``, meaning]),
    ),
    metrics: metricTable(),
  };
}

/** The generated part of the README in a connector's folder. */
export async function readmeParts(
  definitions: readonly ConnectorDefinition[],
): Promise<Readonly<Record<string, string>>> {
  return { options: await connectorSections(definitions) };
}

function errorTable(): string {
  const codes = Object.entries(errorCatalogue) as [ErrorCode, string][];
  return table(
    ['code', 'meaning', 'what to do'],
    codes.map(([code, meaning]) => [`\`${code}\``, meaning, remedies[code]]),
  );
}

function metricTable(): string {
  const rows = Object.values(METRIC).map(({ name, kind, unit, labels, help }) => [
    `\`${name}\``,
    kind,
    unit,
    labels.map((label) => `\`${label}\``).join(', '),
    help,
  ]);
  return table(['metric', 'kind', 'unit', 'labels', 'meaning'], rows);
}
