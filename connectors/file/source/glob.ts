import picomatch from 'picomatch';
import { join, resolve, sep } from 'node:path';
import type { InputStorage } from './storage.ts';

interface Pattern {
  /** The folder before the first wildcard. */
  readonly base: string;
  readonly matches: (path: string) => boolean;
  /** What the folders below the base must be called, level by level; from the end of the list on a `**` takes any. */
  readonly folders: readonly ((name: string) => boolean)[];
  readonly isDeep: boolean;
}

/** Finds the files that patterns name. Walks only into folders that can hold some. */
export class Glob {
  readonly #patterns: readonly Pattern[];
  readonly #isExcluded: (path: string) => boolean;
  readonly #storage: InputStorage;

  constructor(include: readonly string[], exclude: readonly string[], storage: InputStorage) {
    this.#patterns = include.map(patternOf);
    this.#isExcluded = exclude.length === 0 ? () => false : picomatch([...exclude]);
    this.#storage = storage;
  }

  /** The folders to watch, and how deep below them. */
  get folders(): { readonly folders: readonly string[]; readonly depth: number } {
    const depths = this.#patterns.map(({ folders, isDeep }) => (isDeep ? 32 : folders.length));
    return { folders: [...new Set(this.#patterns.map(({ base }) => base))], depth: Math.max(...depths) };
  }

  matches(path: string): boolean {
    return this.#patterns.some((pattern) => pattern.matches(path)) && !this.#isExcluded(path);
  }

  /** Paths in order, each once. Folders that cannot be read are told to `onError`; those that are not there are not. */
  async find(onError: (folder: string, error: unknown) => void): Promise<string[]> {
    const found = new Set<string>();
    for (const pattern of this.#patterns) await this.#walk(pattern, pattern.base, 0, found, onError);
    return [...found].sort();
  }

  async #walk(
    pattern: Pattern,
    folder: string,
    level: number,
    found: Set<string>,
    onError: (folder: string, error: unknown) => void,
  ): Promise<void> {
    let entries;
    try {
      entries = await this.#storage.list(folder);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code !== 'ENOENT' && code !== 'ENOTDIR') onError(folder, error);
      return;
    }
    const below: string[] = [];
    for (const { name, kind } of entries) {
      const path = join(folder, name);
      if (kind !== 'folder' && kind !== 'other' && pattern.matches(path)) {
        if (!this.#isExcluded(path)) found.add(path);
      }
      if (this.#leadsOn(pattern, name, level, kind) && !this.#isExcluded(path)) below.push(path);
    }
    for (const path of below) await this.#walk(pattern, path, level + 1, found, onError);
  }

  #leadsOn({ folders, isDeep }: Pattern, name: string, level: number, kind: string): boolean {
    // Links to folders are followed where a name is asked for, not below `**`, where they may lead round in circles.
    if (level < folders.length) return (kind === 'folder' || kind === 'link') && folders[level]!(name);
    return isDeep && kind === 'folder' && !name.startsWith('.');
  }
}

function patternOf(glob: string): Pattern {
  const absolute = resolve(glob);
  const { base, glob: rest } = picomatch.scan(absolute);
  // A path without wildcards is a base without a rest.
  const isLiteral = rest === '';
  const folder = isLiteral ? join(absolute, '..') : base === '' ? sep : base;
  const parts = isLiteral ? [] : rest.split('/');
  // A brace may hold slashes: then a level says nothing about names.
  const deepAt = parts.findIndex((part) => part.includes('**') || count(part, '{') !== count(part, '}'));
  const isDeep = deepAt >= 0;
  const folders = (isDeep ? parts.slice(0, deepAt) : parts.slice(0, -1)).map((part) => picomatch(part));
  return { base: folder, matches: picomatch(absolute), folders, isDeep };
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}
