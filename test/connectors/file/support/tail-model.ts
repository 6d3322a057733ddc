import { appendFile, copyFile, mkdir, open, readdir, rename, truncate, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SourceHarness } from '../../../../src/testing/index.ts';
import { fileSourceHarness } from './source.ts';
import { tailForms, type TailForm } from './tail-forms.ts';

/** What became of one random sequence. */
export interface TailVerdict {
  readonly written: number;
  readonly rows: number;
  /** Lines that were written between copy and truncation, and were not read before it: they are in no file any more. */
  readonly inNeither: number;
  /** Numbers of lines. */
  readonly lost: readonly number[];
  readonly duplicated: readonly number[];
  /** What no line was. */
  readonly strange: readonly string[];
  readonly reordered: number;
  readonly steps: readonly string[];
}

const LIVE = 'app.log';
const MAX_LINES = 40;

/** One log that is written, rotated in both ways and read, by chance. All names that rotation gives match the pattern. */
class TailModel {
  readonly steps: string[] = [];
  /** Numbers of the lines that a truncation took with it. */
  readonly gap = new Set<number>();
  /** Of the next line. */
  next = 0;
  readonly #folder: string;
  readonly #random: () => number;
  readonly #form: TailForm;
  /** Lines that were written since the copy was made, until the truncation. */
  #sinceCopy: number[] | null = null;
  #writer: FileHandle | null = null;
  #isLineOpen = false;

  constructor(folder: string, random: () => number, form: TailForm) {
    this.#folder = folder;
    this.#random = random;
    this.#form = form;
    this.steps.push(form.name);
  }

  whole(below: number): number {
    return Math.floor(this.#random() * below);
  }

  async write(): Promise<void> {
    const count = 1 + this.whole(MAX_LINES);
    let text = this.#isLineOpen ? '-end\n' : '';
    for (let line = 0; line < count; line++) text += this.#line();
    this.#isLineOpen = this.#random() < 0.2;
    // Half a line, that the next write finishes wherever the file is by then.
    if (this.#isLineOpen) text += this.#line().replace(/-end\n$/, '');
    await this.#append(text);
    this.steps.push(`write ${count}${this.#isLineOpen ? '½' : ''}`);
  }

  async rename(): Promise<void> {
    if (this.#sinceCopy !== null) return;
    await this.#finishLine();
    await this.#shift();
    await rename(join(this.#folder, LIVE), join(this.#folder, `${LIVE}.1`)).catch(ignoreMissing);
    // The writer has the old file open still, as one that was not told yet.
    if (this.#random() < 0.5) await this.write();
    await this.#finishLine();
    await this.close();
    this.steps.push('rename');
  }

  async copy(): Promise<void> {
    if (this.#sinceCopy !== null) return;
    await this.#finishLine();
    await this.#shift();
    try {
      await copyFile(join(this.#folder, LIVE), join(this.#folder, `${LIVE}.1`));
    } catch (error) {
      ignoreMissing(error);
      return;
    }
    this.#sinceCopy = [];
    this.steps.push('copy');
  }

  async truncate(): Promise<void> {
    if (this.#sinceCopy === null) return;
    await this.#finishLine();
    for (const number of this.#sinceCopy) this.gap.add(number);
    this.#sinceCopy = null;
    await truncate(join(this.#folder, LIVE));
    this.steps.push('truncate');
  }

  async close(): Promise<void> {
    await this.#writer?.close();
    this.#writer = null;
  }

  async end(): Promise<void> {
    await this.#finishLine();
    await this.truncate();
    await this.close();
  }

  #line(): string {
    const number = this.next++;
    this.#sinceCopy?.push(number);
    const filler = this.#random() < 0.05 ? 'x'.repeat(this.whole(900)) : '';
    return `${number}:${filler}-end\n`;
  }

  async #finishLine(): Promise<void> {
    if (!this.#isLineOpen) return;
    this.#isLineOpen = false;
    await this.#append('-end\n');
  }

  async #append(text: string): Promise<void> {
    this.#writer ??= await open(join(this.#folder, LIVE), 'a');
    await appendFile(this.#writer, this.#form.encode(text));
  }

  async #shift(): Promise<void> {
    const names = (await readdir(this.#folder)).filter((name) => name !== LIVE);
    const numbers = names.map((name) => Number(name.slice(LIVE.length + 1))).sort((a, b) => b - a);
    for (const number of numbers) {
      await rename(join(this.#folder, `${LIVE}.${number}`), join(this.#folder, `${LIVE}.${number + 1}`));
    }
  }
}

/** Runs one sequence in an empty folder of its own; the source is started, stopped and killed while the log lives on. */
export async function runTailSequence(folder: string, random: () => number, length = 24): Promise<TailVerdict> {
  await mkdir(folder, { recursive: true });
  const form = tailForms[Math.floor(random() * tailForms.length)]!;
  const model = new TailModel(folder, random, form);
  const { framing } = form;
  const harness = fileSourceHarness(folder, { framing, pollMs: 10, scanMs: 10, maxOpenFiles: 1 + model.whole(4) });
  let lives = false;
  for (let step = 0; step < length; step++) {
    const choice = random();
    if (choice < 0.42) await model.write();
    else if (choice < 0.54) await model.rename();
    else if (choice < 0.66) await model.copy();
    else if (choice < 0.8) await model.truncate();
    else if (!lives) {
      await harness.start();
      lives = true;
      model.steps.push('start');
    } else {
      const isKill = random() < 0.5;
      await (isKill ? harness.kill() : harness.stop());
      lives = false;
      model.steps.push(isKill ? 'kill' : 'stop');
    }
    if (lives) await sleep(random() < 0.3 ? 30 : model.whole(8));
  }
  await model.end();
  if (lives && random() < 0.5) await sleep(40);
  if (lives) await harness.stop();
  await drain(folder, harness, form);
  return judge(model, harness, form);
}

/** What is left is read to its end, as `run --once` does. */
async function drain(folder: string, harness: SourceHarness, { framing }: TailForm): Promise<void> {
  const last = fileSourceHarness(folder, { framing }, { once: true });
  for (const [key, position] of harness.positions) last.positions.set(key, position);
  await last.start();
  await last.ended;
  harness.records.push(...last.records);
  harness.emits.push(...last.emits);
  harness.rejected.push(...last.rejected);
}

function judge(model: TailModel, harness: SourceHarness, { decode }: TailForm): TailVerdict {
  const values = harness.values.map(decode);
  const seen = new Map<number, number>();
  const strange: string[] = [];
  for (const value of values) {
    const number = numberOf(value);
    if (number === null) strange.push(value);
    else seen.set(number, (seen.get(number) ?? 0) + 1);
  }
  for (const { position } of harness.rejected) strange.push(`rejected ${position}`);
  const all = Array.from({ length: model.next }, (_, number) => number);
  const unseen = all.filter((number) => !seen.has(number));
  return {
    written: model.next,
    rows: harness.records.length,
    inNeither: unseen.filter((number) => model.gap.has(number)).length,
    lost: unseen.filter((number) => !model.gap.has(number)),
    duplicated: [...seen].filter(([, times]) => times > 1).map(([number]) => number),
    strange,
    reordered: countReordered(harness, values),
    steps: model.steps,
  };
}

/** Lines of one file that came in another order than they were written in. */
function countReordered({ emits }: SourceHarness, values: readonly string[]): number {
  const last = new Map<string, number>();
  let reordered = 0;
  let next = 0;
  for (const { count, positions } of emits) {
    for (const value of values.slice(next, next + count)) {
      const file = positions[0]![0];
      const number = numberOf(value) ?? -1;
      if (number < (last.get(file) ?? -1)) reordered++;
      last.set(file, number);
    }
    next += count;
  }
  return reordered;
}

function numberOf(line: string): number | null {
  const match = /^(\d+):x*-end$/.exec(line);
  return match === null ? null : Number(match[1]);
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}
