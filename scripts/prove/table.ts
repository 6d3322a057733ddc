import type { Result } from './proof.ts';

const widths = { name: 12, number: 11, time: 9 };

/** Prints a row as each part ends, and the sum as the last line. */
export class Table {
  #lost = 0;
  #duplicated = 0;
  #rows = 0;
  #failed = 0;
  #unjudged = 0;
  #parts = 0;

  constructor() {
    const numbers = ['expected', 'rows', 'lost', 'duplicated'].map((title) => title.padStart(widths.number)).join('');
    console.log(`${'part'.padEnd(widths.name)}${numbers}${'time'.padStart(widths.time)}  result`);
  }

  add(name: string, result: Result, elapsedMs: number): void {
    const { expected, rows, lost, duplicated, note, problems, unjudged } = result;
    const isWrong = problems.length > 0 || lost > 0 || duplicated > 0 || expected === 0;
    const numbers = [expected, rows, lost, duplicated]
      .map((number) => grouped(number).padStart(widths.number))
      .join('');
    const time = `${(elapsedMs / 1000).toFixed(1)} s`.padStart(widths.time);
    const word = isWrong ? 'FAILED' : unjudged.length > 0 ? 'INCOMPLETE' : 'proven';
    console.log(`${name.padEnd(widths.name)}${numbers}${time}  ${word}${note === '' ? '' : `: ${note}`}`);
    for (const line of [...problems, ...unjudged]) console.log(`  ${line}`);
    this.#lost += lost;
    this.#duplicated += duplicated;
    this.#rows += rows;
    this.#parts++;
    if (isWrong) this.#failed++;
    else if (unjudged.length > 0) this.#unjudged++;
  }

  /** Returns the exit code. */
  end(): number {
    if (this.#unjudged > 0)
      console.log(`${this.#unjudged} of ${this.#parts} parts INCOMPLETE: not proven on this machine`);
    console.log(`lost=${this.#lost} duplicated=${this.#duplicated} rows=${this.#rows} failed=${this.#failed}`);
    if (this.#failed > 0 || this.#parts === 0) return 1;
    return this.#unjudged > 0 ? 3 : 0;
  }
}

function grouped(number: number): string {
  return number.toLocaleString('en-US');
}
