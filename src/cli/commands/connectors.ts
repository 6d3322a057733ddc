import type { ConnectorDefinition } from '../../api/index.ts';
import { connectorReference, didYouMean, exampleEntry, type OptionReference } from '../../config/index.ts';
import { createRegistry } from '../../registry/index.ts';
import { columns } from '../columns.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { CliIo } from '../io.ts';
import { jsonLine, printable } from '../printable.ts';
import { writeOut } from '../write-out.ts';

export interface ConnectorsOptions {
  /** Null for a list of all. */
  readonly name: string | null;
  readonly json: boolean;
}

const LINE_CHARACTERS = 96;

/** Prints which connectors there are, or everything about one. */
export async function connectors({ name, json }: ConnectorsOptions, io: CliIo): Promise<ExitCode> {
  const all = await createRegistry().all();
  const shown = name === null ? all : all.filter((definition) => definition.name === name);
  if (name !== null && shown.length === 0) {
    const names = [...new Set(all.map((definition) => definition.name))];
    const meant = didYouMean(name, names) || `; there are ${names.join(', ')}`;
    io.stderr.write(`sluice: no connector \`${printable(name)}\`${meant}\n`);
    return EXIT.usage;
  }
  if (json) await writeOut(io, jsonLine({ connectors: shown.map(asData) }));
  else if (name === null) await writeOut(io, list(shown));
  else await writeOut(io, (await Promise.all(shown.map(description))).join('\n'));
  return EXIT.done;
}

function list(definitions: readonly ConnectorDefinition[]): string {
  const rows = definitions.map(({ kind, name, summary }) => [name, kind, summary]);
  const lines = columns(
    [
      ['connector', 'left'],
      ['kind', 'left'],
      ['', 'left'],
    ],
    rows.sort(([one = ''], [other = '']) => one.localeCompare(other)),
  );
  return `${lines.join('\n')}\nOptions of one: sluice connectors NAME\n`;
}

function asData(definition: ConnectorDefinition): object {
  const { kind, name, summary, stability, examples } = definition;
  return { kind, name, summary, stability, options: connectorReference(definition), examples };
}

async function description(definition: ConnectorDefinition): Promise<string> {
  const { kind, name, summary, stability, examples } = definition;
  const options = connectorReference(definition).flatMap(optionLines);
  const entries = await Promise.all(examples.map((example) => exampleEntry(definition, example.options)));
  const shown = examples.flatMap(({ title }, index) => [
    `  # ${title}`,
    ...entries[index]!.trimEnd()
      .split('\n')
      .map((line) => `  ${line}`),
  ]);
  const text = [`${kind} ${name} (${stability}): ${summary}`, '', ...options, 'Examples:', `  ${kind}s:`, ...shown];
  return `${text.join('\n')}\n`;
}

function optionLines({ path, type, default: standard, isRequired, description: meaning }: OptionReference): string[] {
  const fallback = isRequired ? ', required' : standard === null ? '' : `, default ${standard}`;
  return [`  ${path}: ${type}${fallback}`, ...wrapped(meaning).map((line) => `      ${line}`), ''];
}

function wrapped(text: string): string[] {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1)!;
    if (last === '') lines[lines.length - 1] = word;
    else if (last.length + word.length < LINE_CHARACTERS) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
