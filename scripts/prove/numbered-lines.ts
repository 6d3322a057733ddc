import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';

const inputFiles = 7;
const linesInTurn = 1000;
export const users = 977;

/** The file that a line is in. */
export const fileOf = (number: number): number => Math.floor(number / linesInTurn) % inputFiles;

/** Files that grow by turns of a thousand lines. */
export class NumberedLines {
  readonly totalBytes: number;
  readonly #folder: string;
  #written = 0;

  constructor(folder: string, lines: number) {
    this.#folder = folder;
    let bytes = 0;
    for (let n = 0; n < lines; n++) bytes += lineOf(n).length;
    this.totalBytes = bytes;
  }

  get written(): number {
    return this.#written;
  }

  async growTo(end: number): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    while (this.#written < end) {
      const start = this.#written;
      const turnEnd = (Math.floor(start / linesInTurn) + 1) * linesInTurn;
      this.#written = Math.min(end, turnEnd);
      let text = '';
      for (let n = start; n < this.#written; n++) text += lineOf(n);
      await appendFile(join(this.#folder, `${fileOf(start)}.log`), text);
    }
  }
}

function lineOf(n: number): string {
  return `{"n":${n},"user":"u${n % users}","path":"/orders/${n * 7}","status":200}\n`;
}
