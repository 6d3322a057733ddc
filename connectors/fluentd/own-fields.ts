import type { JsonWriter } from 'sluice/codec';
import type { EventTime } from './event-time.ts';
import type { SourceOptions } from './options.ts';

/** Writes the fields that a record gets beside its own, its tag and its time: first in its object. */
export class OwnFields {
  readonly #tagField: string | undefined;
  readonly #timeField: string | undefined;
  /** The beginning of each record up to where its own fields come; null when nothing is added. */
  #prefix: Buffer | null = null;

  constructor(options: Pick<SourceOptions, 'tag_field' | 'time_field'>) {
    this.#tagField = options.tag_field;
    this.#timeField = options.time_field;
  }

  /** Records from now on have this tag. */
  tag(tag: Buffer): void {
    const [tagField, timeField] = [this.#tagField, this.#timeField];
    const tagPart = tagField === undefined ? [] : [`${JSON.stringify(tagField)}:${JSON.stringify(tag.toString())}`];
    const timePart = timeField === undefined ? [] : [`${JSON.stringify(timeField)}:"`];
    const parts = [...tagPart, ...timePart];
    this.#prefix = parts.length === 0 ? null : Buffer.from(`{${parts.join(',')}`);
  }

  /** Before the object of a record is written. Returns where that begins, for `join`. */
  begin(json: JsonWriter, time: EventTime): number {
    if (this.#prefix !== null) {
      json.raw(this.#prefix);
      if (this.#timeField !== undefined) json.ascii(`${time.text}"`);
    }
    return json.end;
  }

  /** Makes one object of what `begin` wrote and the object that begins at `at`. */
  join(json: JsonWriter, at: number): void {
    if (this.#prefix === null) return;
    const isEmpty = json.end === at + 2;
    json.bytes[at] = isEmpty ? 0x7d : 0x2c;
    if (isEmpty) json.end = at + 1;
  }
}
