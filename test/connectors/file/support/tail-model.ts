import {
  appendFile,
  copyFile,
  mkdir,
  open,
  readFile,
  rename,
  truncate,
  unlink,
  type FileHandle,
} from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { SourceHarness } from '../../../../src/testing/index.ts';
import { fileSourceHarness } from './source.ts';
import { tailForms, type TailForm } from './tail-forms.ts';

/** What became of one random sequence. */
export interface TailVerdict {
  readonly written: number;
  readonly rows: number;
  /** Lines that were written between copy and truncation, or are in no file any more because of a truncation or deletion, and were not read before. */
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

/** A file that has another name than the one it was written under. */
interface Rotated {
  /** Of `app.log.NUMBER`. */
  number: number;
  readonly lines: readonly number[];
  ending: '' | '.gz' | '.zst';
  /** Copies were made of it: while it is there it is known what of them was read. */
  readonly hasCopies: boolean;
}

/** A compressed file in the making: its original is there until it is whole. */
interface Compressing {
  readonly rotated: Rotated;
  readonly ending: '.gz' | '.zst';
  readonly rest: Buffer;
  readonly target: FileHandle;
}

/** One log that is written, rotated in both ways, compressed, truncated, deleted and read, by chance. All names that rotation gives match the pattern. */
class TailModel {
  readonly steps: string[] = [];
  /** Numbers of the lines that a truncation or a deletion took with it. */
  readonly gap = new Set<number>();
  /** Of the next line. */
  next = 0;
  /** In which file each line was written: they are counted, for names and inodes are used again. */
  readonly fileOf: number[] = [];
  readonly #folder: string;
  readonly #random: () => number;
  readonly #form: TailForm;
  /** In the live file. */
  #live: number[] = [];
  /** The newest first. */
  #rotated: Rotated[] = [];
  /** How many of the live lines the copy holds that was made last, until the truncation. */
  #copied: number | null = null;
  #compressing: Compressing | null = null;
  #writer: FileHandle | null = null;
  #isLineOpen = false;
  #hasCopies = false;
  #file = 0;

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
    if (this.#copied !== null || this.#live.length === 0) return;
    await this.#shift();
    await rename(this.#path(LIVE), this.#path(`${LIVE}.1`));
    // The writer has the old file open still, as one that was not told yet.
    if (this.#random() < 0.5) await this.write();
    await this.#finishLine();
    await this.close();
    this.#rotated.unshift({ number: 1, lines: this.#live, ending: '', hasCopies: this.#hasCopies });
    this.#hasCopies = false;
    this.#live = [];
    this.#file++;
    this.steps.push('rename');
  }

  async copy(): Promise<void> {
    if (this.#copied !== null || this.#live.length === 0) return;
    await this.#shift();
    await copyFile(this.#path(LIVE), this.#path(`${LIVE}.1`));
    this.#rotated.unshift({ number: 1, lines: [...this.#live], ending: '', hasCopies: false });
    this.#hasCopies = true;
    this.#copied = this.#live.length;
    this.steps.push('copy');
  }

  async truncate(): Promise<void> {
    if (this.#copied === null) return;
    await this.#finishLine();
    for (const number of this.#live.slice(this.#copied)) this.gap.add(number);
    this.#copied = null;
    this.#live = [];
    this.#file++;
    await truncate(this.#path(LIVE));
    this.steps.push('truncate');
  }

  /** Without a copy: what was not read is gone. It may grow past the old end before anybody looks. */
  async empty(): Promise<void> {
    if (this.#copied !== null || this.#live.length === 0) return;
    await this.#finishLine();
    await truncate(this.#path(LIVE));
    this.#lose(this.#live.splice(0));
    this.#file++;
    this.steps.push('empty');
    if (this.#random() < 0.5) await this.write();
  }

  /** The oldest file, or the live one, whose inode the next file may get. */
  async delete(): Promise<void> {
    await this.#finishCompressing();
    const oldest = this.#rotated.at(-1);
    if (this.#copied !== null) return;
    if (oldest !== undefined && this.#random() < 0.7) {
      await unlink(this.#pathOf(oldest));
      this.#lose(this.#rotated.pop()!.lines);
      this.steps.push(`delete .${oldest.number}${oldest.ending}`);
    } else if (this.#live.length > 0 && !this.#hasCopies) {
      await this.#finishLine();
      await unlink(this.#path(LIVE));
      await this.close();
      this.#lose(this.#live.splice(0));
      this.#file++;
      this.steps.push('delete');
    }
    if (this.#random() < 0.5) await this.write();
  }

  /** Half of it in one step, the rest and the end of the original in another. */
  async compress(): Promise<void> {
    if (this.#compressing !== null) {
      await this.#finishCompressing();
      return;
    }
    // A copy is compressed once its original was truncated.
    const plain = this.#rotated.filter(
      ({ ending, hasCopies, number }) => ending === '' && !hasCopies && (number > 1 || this.#copied === null),
    );
    const rotated = plain[this.whole(plain.length)];
    if (rotated === undefined) return;
    const ending = this.#random() < 0.7 ? '.gz' : '.zst';
    const bytes = await readFile(this.#pathOf(rotated));
    const compressed = ending === '.gz' ? gzipSync(bytes) : zstdCompressSync(bytes);
    const target = await open(`${this.#pathOf(rotated)}${ending}`, 'wx');
    const half = this.whole(compressed.length);
    if (half > 0) await target.write(compressed.subarray(0, half));
    this.#compressing = { rotated, ending, target, rest: compressed.subarray(half) };
    this.steps.push(`compress .${rotated.number}${ending}`);
    if (this.#random() < 0.5) await this.#finishCompressing();
  }

  async close(): Promise<void> {
    await this.#writer?.close();
    this.#writer = null;
  }

  async end(): Promise<void> {
    await this.#finishLine();
    await this.truncate();
    await this.#finishCompressing();
    await this.close();
  }

  #line(): string {
    const number = this.next++;
    this.#live.push(number);
    this.fileOf.push(this.#file);
    const filler = this.#random() < 0.05 ? 'x'.repeat(this.whole(900)) : '';
    return `${number}:${filler}-end\n`;
  }

  async #finishLine(): Promise<void> {
    if (!this.#isLineOpen) return;
    this.#isLineOpen = false;
    await this.#append('-end\n');
  }

  async #append(text: string): Promise<void> {
    this.#writer ??= await open(this.#path(LIVE), 'a');
    await appendFile(this.#writer, this.#form.encode(text));
  }

  async #finishCompressing(): Promise<void> {
    if (this.#compressing === null) return;
    const { rotated, ending, target, rest } = this.#compressing;
    this.#compressing = null;
    await target.write(rest);
    await target.close();
    await unlink(this.#pathOf(rotated));
    rotated.ending = ending;
    this.steps.push('compressed');
  }

  /** Makes room for `app.log.1`. */
  async #shift(): Promise<void> {
    await this.#finishLine();
    await this.#finishCompressing();
    for (const rotated of [...this.#rotated].reverse()) {
      const before = this.#pathOf(rotated);
      rotated.number++;
      await rename(before, this.#pathOf(rotated));
    }
  }

  #lose(lines: readonly number[]): void {
    for (const number of lines) this.gap.add(number);
  }

  #pathOf({ number, ending }: Rotated): string {
    return this.#path(`${LIVE}.${number}${ending}`);
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }
}

/** Runs one sequence in an empty folder of its own; the source is started, stopped and killed while the log lives on. */
export async function runTailSequence(folder: string, random: () => number, length = 30): Promise<TailVerdict> {
  await mkdir(folder, { recursive: true });
  // Changed later than it was made, it tells that this file system knows when files were made.
  await sleep(20);
  const form = tailForms[Math.floor(random() * tailForms.length)]!;
  const model = new TailModel(folder, random, form);
  const { framing } = form;
  const harness = fileSourceHarness(folder, { framing, pollMs: 10, scanMs: 10, maxOpenFiles: 1 + model.whole(4) });
  let lives = false;
  for (let step = 0; step < length; step++) {
    const choice = random();
    if (choice < 0.36) await model.write();
    else if (choice < 0.46) await model.rename();
    else if (choice < 0.54) await model.copy();
    else if (choice < 0.64) await model.truncate();
    else if (choice < 0.76) await model.compress();
    else if (choice < 0.79) await model.empty();
    else if (choice < 0.82) await model.delete();
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
    reordered: countReordered(values, model.fileOf),
    steps: model.steps,
  };
}

/** Lines of one file that came in another order than they were written in. */
function countReordered(values: readonly string[], fileOf: readonly number[]): number {
  const last = new Map<number, number>();
  let reordered = 0;
  for (const value of values) {
    const number = numberOf(value);
    const file = number === null ? undefined : fileOf[number];
    if (number === null || file === undefined) continue;
    if (number < (last.get(file) ?? -1)) reordered++;
    last.set(file, number);
  }
  return reordered;
}

function numberOf(line: string): number | null {
  const match = /^(\d+):x*-end$/.exec(line);
  return match === null ? null : Number(match[1]);
}
