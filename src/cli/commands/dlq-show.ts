import {
  DeadLetterIndex,
  deadLetterTopics,
  type DeadLetterFilter,
  type StoredDeadLetter,
} from '../../pipeline/index.ts';
import { viewSaved, type FolderOptions } from '../data-folder.ts';
import { configuredDeadLetters, filterFlags, Selection } from '../dead-letters.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { CliIo } from '../io.ts';
import { counted, grouped } from '../numbers.ts';
import { jsonLine, printable, printableBytes, textOf } from '../printable.ts';
import { isoTime, timeText } from '../time-text.ts';
import { writeOut } from '../write-out.ts';

/** Headers whose content the object has under names of its own. */
const IS_CAUSE = /^(?:__connect|sluice)\.errors\./;

export interface DlqShowOptions extends FolderOptions {
  readonly pipeline: string;
  /** So many of the newest. */
  readonly last: number;
  readonly filter: DeadLetterFilter;
  readonly json: boolean;
}

/** Prints the newest dead letters of a pipeline, the newest last: what each is, why it was refused, and its value. */
export async function dlqShow(options: DlqShowOptions, io: CliIo): Promise<ExitCode> {
  const { pipeline, last, json } = options;
  const found = await viewSaved(options, io);
  if ('exit' in found) return found.exit;
  const topics = deadLetterTopics(found.view, configuredDeadLetters(found.plan));
  const mine = topics.filter((one) => one.pipeline === pipeline);
  const newest = new Newest(last);
  try {
    const selection = Selection.of(options.filter, found.plan, io);
    if (selection === null) return EXIT.usage;
    for (const one of mine) {
      const index = await DeadLetterIndex.read(found.view, one);
      for await (const letter of index.letters()) if (selection.test(letter)) newest.add(letter);
    }
    selection.tellFailures(io);
  } finally {
    await found.close();
  }
  if (json) {
    for (const letter of newest.letters) if (!(await writeOut(io, jsonLine(objectOf(letter))))) break;
    return EXIT.done;
  }
  if (newest.total === 0) {
    const others = [...new Set(topics.map((one) => one.pipeline))].filter((name) => name !== pipeline);
    const known = others.length === 0 ? '' : ` There are topics for those of ${others.join(', ')}.`;
    await writeOut(io, printable(`No dead letters of ${pipeline}.${mine.length === 0 ? known : ''}`) + '\n');
    return EXIT.done;
  }
  for (const letter of newest.letters) if (!(await writeOut(io, `${describe(letter, io).join('\n')}\n\n`))) break;
  await writeOut(io, `${conclusion(newest, options)}\n`);
  return EXIT.done;
}

/** Keeps the last few by the time of the refusal, and no more in memory. */
class Newest {
  readonly letters: StoredDeadLetter[] = [];
  readonly #limit: number;
  total = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(letter: StoredDeadLetter): void {
    this.total++;
    let at = this.letters.length;
    while (at > 0 && this.letters[at - 1]!.lastAt > letter.lastAt) at--;
    this.letters.splice(at, 0, letter);
    if (this.letters.length > this.#limit) this.letters.shift();
  }
}

function describe(letter: StoredDeadLetter, { stdout }: CliIo): readonly string[] {
  const { id, lastAt, leg, origin, attempts, hops, code, message, sourcePosition, key, value, reference } = letter;
  const side = origin === null ? 'source' : 'sink';
  const at = sourcePosition === null ? [] : [`at ${sourcePosition}`];
  const again = hops === 1 ? [] : [`refused ${grouped(hops)} times`];
  const parked = letter.isParked ? ['parked'] : [];
  const head = [
    id,
    timeText(lastAt, stdout),
    `${side} ${leg}`,
    ...at,
    `attempts ${grouped(attempts)}`,
    ...again,
    ...parked,
  ];
  return [
    head.map(printable).join('   '),
    printable(`  ${code}  ${message}`),
    ...(key === null ? [] : [`  key ${printableBytes(key)}`]),
    `  ${printableBytes(value)}`,
    ...(reference === null ? [] : ['  too large for the dead-letter topic: the rest is where the record stood']),
  ];
}

function conclusion({ letters, total }: Newest, { pipeline, filter }: DlqShowOptions): string {
  const flags = filterFlags(filter);
  if (letters.length === total) {
    const replay = `Once the cause is mended: sluice dlq replay ${pipeline}${flags} --dry-run`;
    return `${counted(total, 'dead letter')} of ${pipeline}. ${replay}`;
  }
  const shown = `The last ${grouped(letters.length)} of ${counted(total, 'dead letter')} of ${pipeline}.`;
  return `${shown} All of them: sluice dlq show ${pipeline}${flags} --last ${total}`;
}

function objectOf(letter: StoredDeadLetter): object {
  const { firstAt, lastAt, sourcePosition, key, value, timestamp, reference, isParked, headers, ...rest } = letter;
  return {
    ...rest,
    parked: isParked,
    source_position: sourcePosition,
    by_reference: reference !== null,
    reference,
    first_at: isoTime(firstAt),
    last_at: isoTime(lastAt),
    timestamp: isoTime(timestamp),
    key: key === null ? null : textOf(key),
    headers: headers.flatMap(([name, bytes]) =>
      IS_CAUSE.test(name) ? [] : [[name, bytes === null ? null : textOf(bytes)]],
    ),
    value: value === null ? null : textOf(value),
  };
}
