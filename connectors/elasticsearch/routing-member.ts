import { SluiceError, type Expression, type RecordBatch } from 'sluice/api';

const NOTHING = Buffer.alloc(0);
/** As for ids. */
const MAX_BYTES = 512;

/** `,"routing":"…"` of an action. */
export class RoutingMember {
  readonly #routing: Expression | null;
  #last: string | null = null;
  #bytes: Buffer = NOTHING;

  constructor(routing: Expression | null) {
    this.#routing = routing;
  }

  get isNone(): boolean {
    return this.#routing === null;
  }

  /** Throws a `SluiceError` when the record gives none. */
  of(batch: RecordBatch, index: number): Buffer {
    if (this.#routing === null) return NOTHING;
    const text = textOf(this.#routing.evaluate(batch.record(index)));
    if (text !== this.#last) {
      this.#last = text;
      this.#bytes = Buffer.from(`,"routing":${JSON.stringify(text)}`);
    }
    return this.#bytes;
  }
}

function textOf(value: unknown): string {
  const text = typeof value === 'bigint' || typeof value === 'number' ? String(value) : value;
  if (typeof text === 'string' && text !== '' && Buffer.byteLength(text) <= MAX_BYTES) return text;
  throw new SluiceError(
    'SINK_REJECTED',
    `routing a document: the routing is no number and no text of 1 to ${MAX_BYTES} bytes`,
  );
}
