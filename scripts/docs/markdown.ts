/** A table of Markdown. Cells may hold `code`, with `|` in it too. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cellText).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function cellText(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

export function fenced(language: string, text: string): string {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
}

const MARKERS = /<!-- generated:([a-z-]+) -->[\s\S]*?<!-- \/generated:\1 -->/g;

/** Writes the generated parts of a document anew; what stands around them stays. */
export function fillParts(text: string, parts: Readonly<Record<string, string>>): string {
  return text.replaceAll(MARKERS, (_, name: string) => {
    const part = parts[name];
    if (part === undefined) throw new Error(`there is no generated part "${name}"`);
    return `<!-- generated:${name} -->\n\n${part.trim()}\n\n<!-- /generated:${name} -->`;
  });
}
