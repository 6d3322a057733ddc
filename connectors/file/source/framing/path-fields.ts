/** A name in braces, `*` within a folder, `**` across folders, or text. */
const PARTS = /\{([A-Za-z_][A-Za-z0-9_.-]{0,62})\}|\*\*|\*|[{}]|[^{}*]+/g;
const META = /[\\^$.*+?()[\]{}|/]/g;

/** The named parts of paths that look like a pattern: `/var/log/{service}/{host}.log`. */
export class PathFields {
  readonly names: readonly string[];
  readonly #pattern: RegExp;

  /** A pattern without `problemOf`. */
  constructor(pattern: string) {
    const names: string[] = [];
    let source = '';
    for (const [part, name] of pattern.matchAll(PARTS)) {
      if (name !== undefined) {
        names.push(name);
        source += '([^/]+)';
      } else if (part === '**') source += '.*';
      else source += part === '*' ? '[^/]*' : part.replace(META, '\\$&');
    }
    this.names = names;
    this.#pattern = new RegExp(`^${source}$`, 's');
  }

  /** None for a path that does not look like it. */
  of(path: string): readonly (readonly [name: string, text: string])[] {
    const match = this.#pattern.exec(path);
    return match === null ? [] : this.names.map((name, index) => [name, match[index + 1]!]);
  }

  /** A sentence without its full stop; null when it is a pattern. */
  static problemOf(pattern: string): string | null {
    const parts = [...pattern.matchAll(PARTS)];
    const names = parts.flatMap(([, name]) => (name === undefined ? [] : [name]));
    if (parts.some(([part]) => part === '{' || part === '}'))
      return 'has a brace without its other one, or a name in braces that is none: letters, digits, `_`, `.` and `-`';
    if (names.length === 0) return 'names no part; write one in braces, as in `/var/log/{service}/*.log`';
    if (new Set(names).size < names.length) return 'has the same name twice';
    const isOpen = (index: number): boolean => /^(?:\{.+\}|\*\*?)$/.test(parts[index]?.[0] ?? '');
    if (parts.some((_, index) => isOpen(index) && isOpen(index + 1)))
      return 'has two open parts side by side: nothing says where one ends and the other begins';
    return null;
  }
}
