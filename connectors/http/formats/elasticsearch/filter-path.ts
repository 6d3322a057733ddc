/** The query parameter `filter_path`: which parts of an answer are wanted. `*` is any characters of a name, `**` any names; `-` leaves out. */
export class FilterPath {
  readonly #included: readonly (readonly string[])[];
  readonly #excluded: readonly (readonly string[])[];

  constructor(text: string | null) {
    const patterns = (text ?? '').split(',').map((pattern) => pattern.trim());
    this.#included = patterns.filter((pattern) => pattern !== '' && !pattern.startsWith('-')).map(parts);
    this.#excluded = patterns.filter((pattern) => pattern.startsWith('-')).map((pattern) => parts(pattern.slice(1)));
  }

  /** Is this field part of the answer? A pattern that ends above it takes all below. */
  wants(...path: readonly string[]): boolean {
    const isIncluded = this.#included.length === 0 || this.#included.some((pattern) => covers(pattern, path));
    return isIncluded && !this.#excluded.some((pattern) => covers(pattern, path));
  }
}

/** `**` twice in a row says no more than once, and would take exponential time. */
function parts(pattern: string): string[] {
  return pattern.split('.').filter((part, index, all) => part !== '**' || all[index - 1] !== '**');
}

function covers([first, ...rest]: readonly string[], path: readonly string[]): boolean {
  if (first === undefined) return true;
  if (path.length === 0) return false;
  if (first === '**') return covers(rest, path) || covers([first, ...rest], path.slice(1));
  return matches(first, path[0]!) && covers(rest, path.slice(1));
}

/** `*` in time that grows with the length, whatever the pattern. */
function matches(pattern: string, name: string): boolean {
  let [at, star, resume] = [0, -1, 0];
  for (let index = 0; index < name.length;) {
    if (pattern[at] === '*') [star, resume] = [at++, index];
    else if (pattern[at] === name[index]) {
      at++;
      index++;
    } else if (star >= 0) [at, index] = [star + 1, ++resume];
    else return false;
  }
  while (pattern[at] === '*') at++;
  return at === pattern.length;
}
