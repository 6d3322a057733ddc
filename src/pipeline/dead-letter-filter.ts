import type { DataRecord } from '../api/index.ts';
import { compileCondition } from '../expression/index.ts';
import type { StoredDeadLetter } from './stored-dead-letter.ts';

/** Which dead letters are meant; what is not set does not matter. */
export interface DeadLetterFilter {
  readonly codes?: readonly string[];
  readonly stages?: readonly string[];
  readonly source?: string;
  readonly sink?: string;
  /** Refused last at or after it, in milliseconds since the epoch … */
  readonly sinceMs?: number;
  /** … and before it. */
  readonly untilMs?: number;
  /** A condition over the record that was refused. */
  readonly where?: string;
}

export type LetterTest = (letter: StoredDeadLetter) => boolean;

/**
 * `decoder`: how the leg of a letter reads values. A record for which the condition cannot be evaluated is not meant; `onFailed` is told of it. Throws
 * `EXPRESSION_INVALID`.
 */
export function deadLetterTest(
  filter: DeadLetterFilter,
  {
    decoder,
    onFailed,
  }: {
    readonly decoder: (letter: StoredDeadLetter) => (bytes: Uint8Array) => unknown;
    readonly onFailed: (error: unknown) => void;
  },
): LetterTest {
  const { codes, stages, source, sink, sinceMs, untilMs } = filter;
  const where = filter.where === undefined ? null : compileCondition(filter.where);
  return (letter) => {
    const { code, stage, leg, origin, lastAt } = letter;
    if (codes !== undefined && !codes.includes(code)) return false;
    if (stages !== undefined && !stages.includes(stage)) return false;
    if (source !== undefined && (leg !== source || origin !== null)) return false;
    if (sink !== undefined && (leg !== sink || origin === null)) return false;
    // A time that is not known is in no range.
    if (sinceMs !== undefined && !(lastAt >= sinceMs)) return false;
    if (untilMs !== undefined && !(lastAt < untilMs)) return false;
    if (where === null) return true;
    try {
      return where(new LetterRecord(letter, decoder(letter)));
    } catch (error) {
      onFailed(error);
      return false;
    }
  };
}

/** The refused record, as conditions see it. */
class LetterRecord implements DataRecord {
  readonly #letter: StoredDeadLetter;
  readonly #decode: (bytes: Uint8Array) => unknown;

  constructor(letter: StoredDeadLetter, decode: (bytes: Uint8Array) => unknown) {
    this.#letter = letter;
    this.#decode = decode;
  }

  get topic(): string {
    return this.#letter.topic;
  }

  get partition(): number {
    return this.#letter.origin?.partition ?? -1;
  }

  get offset(): number {
    return this.#letter.origin?.offset ?? -1;
  }

  get key(): string | null {
    return textOf(this.#letter.key);
  }

  get value(): unknown {
    const { value } = this.#letter;
    return value === null ? null : this.#decode(value);
  }

  get timestamp(): number {
    return this.#letter.timestamp;
  }

  get headers(): Readonly<Record<string, string | null>> {
    return Object.fromEntries(this.#letter.headers.map(([name, value]) => [name, textOf(value)] as const));
  }
}

function textOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString();
}
