/** What a probe carries through a pipeline, wherever its value ends up: the run, a number of that run, and the key whose probes have an order. */
export interface ProbeStamp {
  readonly run: string;
  readonly number: number;
  readonly key: number;
}

/** What became of the probes of a run at one place where they should arrive. */
export interface ProbeCount {
  /** Probes that should be here: sent, wanted by the condition, and not dead-lettered. */
  readonly expected: number;
  /** Different ones that are here. */
  readonly delivered: number;
  readonly lost: number;
  /** Copies beyond the first. */
  readonly duplicated: number;
  /** First copies that are behind a later one of their key. */
  readonly reordered: number;
  /** Without a stamp of this run, or with one that should not be here. */
  readonly strange: number;
}

const MARK = 'sluice-probe:';
const END = ';';

/** Unchanged in JSON, text, CSV and URLs. */
export function probeText({ run, number, key }: ProbeStamp): string {
  return `${MARK}${run}:${number}:${key}${END}`;
}

/** The first stamp in these bytes; null when there is none. */
export function findProbe(bytes: Uint8Array): ProbeStamp | null {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = buffer.indexOf(MARK);
  const end = start < 0 ? -1 : buffer.indexOf(END, start);
  if (end < 0) return null;
  const [, run, number, key] =
    /^([a-z0-9]+):(\d{1,12}):(\d{1,9})$/.exec(buffer.toString('latin1', start + MARK.length, end)) ?? [];
  return run === undefined ? null : { run, number: Number(number), key: Number(key) };
}

/** Judges one place where probes should arrive. Copies are allowed to come in any order; first ones are not. */
export class ProbeLedger {
  readonly #run: string;
  readonly #wanted: Uint8Array;
  readonly #seen: Uint8Array;
  readonly #last = new Map<number, number>();
  #duplicated = 0;
  #reordered = 0;
  #strange = 0;

  /** `wanted`: for each number of the run, is it to be here? */
  constructor(run: string, wanted: readonly boolean[]) {
    this.#run = run;
    this.#wanted = Uint8Array.from(wanted, Number);
    this.#seen = new Uint8Array(wanted.length);
  }

  add(bytes: Uint8Array): void {
    const stamp = findProbe(bytes);
    if (stamp?.run !== this.#run || stamp.number >= this.#seen.length) this.#strange++;
    else this.addProbe(stamp.number, stamp.key);
  }

  /** For what carries no stamp, but a number that the sender knows. */
  addProbe(number: number, key: number): void {
    if (this.#wanted[number] !== 1) this.#strange++;
    if (this.#seen[number] === 1) {
      this.#duplicated++;
      return;
    }
    this.#seen[number] = 1;
    if (number < (this.#last.get(key) ?? -1)) this.#reordered++;
    else this.#last.set(key, number);
  }

  /** A record that became a dead letter is not lost; it may be here too, when a process ended between the two. */
  excuse(number: number): void {
    if (number < this.#wanted.length && this.#seen[number] === 0) this.#wanted[number] = 0;
  }

  count(): ProbeCount {
    let [expected, delivered] = [0, 0];
    for (const [number, isWanted] of this.#wanted.entries()) {
      expected += isWanted;
      if (isWanted === 1) delivered += this.#seen[number]!;
    }
    const { strange, lost } = { strange: this.#strange, lost: expected - delivered };
    return { expected, delivered, lost, duplicated: this.#duplicated, reordered: this.#reordered, strange };
  }

  /** The first numbers that are missing. */
  missing(limit = 10): number[] {
    const missing: number[] = [];
    for (let number = 0; number < this.#wanted.length && missing.length < limit; number++)
      if (this.#wanted[number] === 1 && this.#seen[number] === 0) missing.push(number);
    return missing;
  }
}
