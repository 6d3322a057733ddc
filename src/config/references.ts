import { readFileSync, realpathSync, statSync } from 'node:fs';
import { resolve, sep } from 'node:path';
import { describeError, SluiceError } from '../api/index.ts';
import type { ReferenceRules } from './plan.ts';

/**
 * Nothing but what an operator has put there for Sluice: a pipeline file, which may come from somebody else, can neither read the
 * cloud's credentials out of the environment nor any file.
 */
export const DEFAULT_REFERENCES: ReferenceRules = { env: ['SLUICE_*'], file: ['/run/secrets'] };

const MAX_FILE_BYTES = 64 * 1024;
const ANY = /\$\$\{|\$\{([^}]*)\}?/g;

export interface ReferenceContext {
  readonly references: ReferenceRules;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Relative files of references start here. Absolute. */
  readonly baseDir: string;
}

export interface Reference {
  /** In the text, in UTF-16 code units. */
  readonly at: number;
  /** As written: `${env:NAME}`. */
  readonly written: string;
  /** Null when it is not well formed. */
  readonly target: { readonly provider: 'env' | 'file'; readonly name: string } | null;
}

/** All references in a text. `$${` is a literal `${`. */
export function findReferences(text: string): readonly Reference[] {
  return [...text.matchAll(ANY)]
    .filter(([written]) => written !== '$${')
    .map((match) => ({ at: match.index, written: match[0], target: targetOf(match[0]) }));
}

export function hasReference(text: string): boolean {
  return text.includes('${') && findReferences(text).length > 0;
}

/** The text holds references and nothing else, so that it may be shown. */
export function isOnlyReferences(text: string): boolean {
  return hasReference(text) && text.replaceAll(ANY, (written) => (written === '$${' ? written : '')) === '';
}

export function unescapeReferences(text: string): string {
  return text.replaceAll('$${', '${');
}

/** Is this provider open for that name? */
export function isAllowed({ provider, name }: NonNullable<Reference['target']>, context: ReferenceContext): boolean {
  const { env, file } = context.references;
  if (provider === 'env') return env.some((pattern) => matches(pattern, name));
  return isBelow(resolve(context.baseDir, name), file);
}

/** Does it have a value here and now? Tells nothing of it. */
export function isSet({ provider, name }: NonNullable<Reference['target']>, context: ReferenceContext): boolean {
  if (provider === 'env') return context.env[name] !== undefined;
  return statSync(resolve(context.baseDir, name), { throwIfNoEntry: false })?.isFile() === true;
}

/** Puts the values in. Throws `REFERENCE_UNRESOLVED`, which names the reference and never a value. */
export function resolveReferences(text: string, context: ReferenceContext): string {
  if (!text.includes('${')) return text;
  return text.replaceAll(ANY, (written) => {
    if (written === '$${') return '${';
    const target = targetOf(written);
    if (target === null) throw unresolved(written, 'it is not written as ${env:NAME} or ${file:/path}');
    if (!isAllowed(target, context)) throw unresolved(written, 'the hub file does not allow it');
    return target.provider === 'env'
      ? fromEnvironment(written, target.name, context)
      : fromFile(written, target.name, context);
  });
}

function targetOf(written: string): Reference['target'] {
  const [, provider, name] = /^\$\{(env|file):([^}\s]+)\}$/.exec(written) ?? [];
  if (name === undefined) return null;
  if (provider === 'env') return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? { provider, name } : null;
  return { provider: 'file', name };
}

function fromEnvironment(written: string, name: string, { env }: ReferenceContext): string {
  const value = env[name];
  if (value === undefined) throw unresolved(written, 'the variable is not set');
  return value;
}

/** Without the line feed that editors put at the end. */
function fromFile(written: string, name: string, { baseDir, references }: ReferenceContext): string {
  let text: string;
  try {
    const file = realpathSync(resolve(baseDir, name));
    if (!isBelow(file, [...references.file, ...references.file.map(realFolder)]))
      throw unresolved(written, 'the file lies elsewhere, outside of the allowed folders');
    const { size, isFile } = statOf(file);
    if (!isFile) throw unresolved(written, 'it is not a plain file');
    if (size > MAX_FILE_BYTES) throw unresolved(written, `the file is larger than ${MAX_FILE_BYTES / 1024} KiB`);
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw error instanceof SluiceError ? error : unresolved(written, describeError(error));
  }
  return text.replace(/\r?\n$/, '');
}

function statOf(file: string): { size: number; isFile: boolean } {
  const stats = statSync(file);
  return { size: stats.size, isFile: stats.isFile() };
}

function realFolder(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}

function isBelow(file: string, folders: readonly string[]): boolean {
  return folders.some((folder) => file.startsWith(folder.endsWith(sep) ? folder : folder + sep));
}

function matches(pattern: string, name: string): boolean {
  const literal = pattern.split('*').map((part) => part.replaceAll(/[^A-Za-z0-9_]/g, '\\$&'));
  return new RegExp(`^${literal.join('.*')}$`).test(name);
}

function unresolved(written: string, reason: string): SluiceError {
  return new SluiceError('REFERENCE_UNRESOLVED', `resolving ${written}: ${reason}`);
}
