import { isUtf8 } from 'node:buffer';
import { open } from 'node:fs/promises';
import type { CST, Document, LineCounter } from 'yaml';
import { describeError, type Json } from '../api/index.ts';
import type { PlaceAt, Places, ProblemCode, ProblemList, ValuePath } from './problems.ts';
import { offsetOf, readValue } from './yaml-value.ts';

/** A pipeline is a page of text; parsing this much takes a fifth of a second. */
const MAX_BYTES = 256 * 1024;
const MAX_DEPTH = 32;
/** One slip with an indentation makes a dozen errors; the first few say where it is. */
const MAX_SYNTAX_PROBLEMS = 5;
const ONE_DOCUMENT = 'a second YAML document begins here; one file holds one';

export interface YamlFile extends Places {
  readonly text: string;
  readonly value: Json;
}

/** Reads a file that anybody may have written: bounded in bytes, depth, aliases and time. Null when there is nothing to go on with. */
export async function readYamlFile(file: string, problems: ProblemList): Promise<YamlFile | null> {
  const refuse = (code: 'CONFIG_UNREADABLE' | 'CONFIG_TOO_LARGE', message: string): null => {
    problems.push({ file, line: 1, column: 1, code, message, severity: 'error' });
    return null;
  };
  let bytes: Buffer | null;
  try {
    bytes = await readBounded(file);
  } catch (error) {
    return refuse('CONFIG_UNREADABLE', `the file cannot be read: ${describeError(error)}`);
  }
  if (bytes === null) return refuse('CONFIG_UNREADABLE', 'this is not a plain file');
  if (bytes.length > MAX_BYTES)
    return refuse('CONFIG_TOO_LARGE', `the file is larger than ${MAX_BYTES / 1024} KiB; split it into several`);
  if (!isUtf8(bytes)) return refuse('CONFIG_UNREADABLE', 'the file is not UTF-8; save it as UTF-8');
  // Leaves a byte order mark out.
  return parseYaml(file, new TextDecoder().decode(bytes), problems);
}

async function parseYaml(file: string, text: string, problems: ProblemList): Promise<YamlFile | null> {
  const yaml = await import('yaml');
  const lines = new yaml.LineCounter();
  const refuse = (offset: number, code: ProblemCode, message: string): null => {
    problems.push({ file, ...placeOf(lines, offset), code, message, severity: 'error' });
    return null;
  };
  const { document, stopped } = compose(yaml, text, lines);
  if (stopped !== null) return refuse(stopped.offset, stopped.code, stopped.message);
  const faults = [...document.errors, ...document.warnings];
  for (const { pos, message } of faults.slice(0, MAX_SYNTAX_PROBLEMS))
    refuse(pos[0], 'CONFIG_SYNTAX', message.replace(/\.$/, ''));
  if (faults.length > 0) return null;
  const { value, isWhole } = readValue(document, yaml, refuse);
  if (!isWhole) return null;
  const place = (path: ValuePath, at: PlaceAt = 'value'): { line: number; column: number } =>
    placeOf(lines, offsetOf(document, yaml, text, path, at));
  return { file, text, value, place };
}

/** One lexeme after the other, so that what is nested too deeply is left before anything recurses into it. */
function compose(
  { Composer, Lexer, Parser }: typeof import('yaml'),
  text: string,
  lines: LineCounter,
): {
  document: Document.Parsed;
  stopped: { offset: number; code: ProblemCode; message: string } | null;
} {
  const parser = new Parser(lines.addNewLine);
  const composer = new Composer({
    schema: 'core',
    merge: false,
    prettyErrors: false,
    resolveKnownTags: false,
    uniqueKeys: false,
    logLevel: 'silent',
  });
  const documents: Document.Parsed[] = [];
  let begun = 0;
  let stopped: { offset: number; code: ProblemCode; message: string } | null = null;
  const take = (tokens: Iterable<CST.Token>): void => {
    for (const token of tokens) {
      if (token.type === 'document' && ++begun > 1)
        stopped ??= { offset: token.offset, code: 'CONFIG_SYNTAX', message: ONE_DOCUMENT };
      if (stopped === null) documents.push(...composer.next(token));
    }
  };
  lines.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    take(parser.next(lexeme));
    // The document itself is on the stack too.
    if (parser.stack.length > MAX_DEPTH + 1)
      stopped ??= { offset: parser.offset, code: 'CONFIG_TOO_DEEP', message: `nested deeper than ${MAX_DEPTH} levels` };
    if (stopped !== null) break;
  }
  if (stopped === null) take(parser.end());
  documents.push(...composer.end(documents.length === 0, text.length));
  return { document: documents[0]!, stopped };
}

function placeOf(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

async function readBounded(file: string): Promise<Buffer | null> {
  const handle = await open(file);
  try {
    if (!(await handle.stat()).isFile()) return null;
    const buffer = Buffer.allocUnsafe(MAX_BYTES + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
      length += bytesRead;
      if (bytesRead === 0 || length === buffer.length) return buffer.subarray(0, length);
    }
  } finally {
    await handle.close();
  }
}
