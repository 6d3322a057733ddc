import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Result } from '../proof.ts';

export interface RowResult extends Result {
  readonly elapsedMs: number;
}

/** What was found out before, so that a proof that was interrupted goes on. */
export class ProofState {
  readonly #file: string;
  readonly #rows: Map<string, RowResult>;

  static async open(file: string): Promise<ProofState> {
    await mkdir(dirname(file), { recursive: true });
    const text = await readFile(file, 'utf8').catch(() => '{}');
    return new ProofState(file, new Map(Object.entries(JSON.parse(text) as Record<string, RowResult>)));
  }

  private constructor(file: string, rows: Map<string, RowResult>) {
    this.#file = file;
    this.#rows = rows;
  }

  get(name: string): RowResult | null {
    return this.#rows.get(name) ?? null;
  }

  async set(name: string, result: RowResult): Promise<void> {
    this.#rows.set(name, result);
    await this.#save();
  }

  async forget(names: readonly string[]): Promise<void> {
    for (const name of names) this.#rows.delete(name);
    await this.#save();
  }

  async #save(): Promise<void> {
    await writeFile(`${this.#file}.new`, JSON.stringify(Object.fromEntries(this.#rows), null, 2));
    await rename(`${this.#file}.new`, this.#file);
  }
}

export function isProven(result: RowResult | null): boolean {
  return result !== null && result.problems.length === 0 && result.unjudged.length === 0 && result.expected > 0;
}
