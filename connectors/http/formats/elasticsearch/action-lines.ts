import { isUtf8 } from 'node:buffer';
import { SluiceError } from 'sluice/api';
import { defaultCodecLimits, JsonCursor, JsonScanner, skipSpace, type JsonKind } from 'sluice/codec';

export type Operation = 'index' | 'create' | 'update' | 'delete';

/** What is said of a document before it. */
export interface Action {
  readonly operation: Operation;
  readonly index: string | null;
  readonly id: string | null;
  /** Headers of the record beside `es_op`, `es_index` and `es_id`. */
  readonly others: readonly (readonly [name: string, value: Buffer])[];
}

/** What a request says once for all of its actions. */
export interface ActionDefaults {
  readonly index: string | null;
  readonly pipeline: string | null;
  readonly routing: string | null;
}

const OPERATIONS: ReadonlySet<string> = new Set<Operation>(['index', 'create', 'update', 'delete']);
/** Parameters of an action that become headers; older senders write some with an underscore before. */
const KEPT: ReadonlySet<string> = new Set([
  'routing',
  'version',
  'version_type',
  'if_seq_no',
  'if_primary_term',
  'pipeline',
  'require_alias',
  'require_data_stream',
  'retry_on_conflict',
]);
/** They say nothing to a topic. `_type` comes from senders that were made for version 7. */
const IGNORED: ReadonlySet<string> = new Set(['_type', 'dynamic_templates', 'list_executed_pipelines', '_source']);
/** The words of Elasticsearch for kinds of JSON; others are `VALUE_` and the kind. */
const SHOWN_KIND: Readonly<Partial<Record<JsonKind, string>>> = {
  object: 'START_OBJECT',
  array: 'START_ARRAY',
  text: 'VALUE_STRING',
};

/** Reads the action lines of a bulk request. They repeat more often than not: the last one is kept. */
export class ActionLines {
  readonly #scanner = new JsonScanner(defaultCodecLimits);
  readonly #cursor = new JsonCursor();
  readonly #defaults: ActionDefaults;
  #text: Buffer = Buffer.alloc(0);
  #action: Action | null = null;

  constructor(defaults: ActionDefaults) {
    this.#defaults = defaults;
  }

  /** Reads `bytes[start, end)`. Throws `DECODE_INVALID` in the words of Elasticsearch, which refuses the whole request then. */
  read(bytes: Buffer, start: number, end: number, line: number): Action {
    if (this.#action !== null && bytes.compare(this.#text, 0, this.#text.length, start, end) === 0) return this.#action;
    if (!isUtf8(bytes.subarray(start, end))) throw malformed(line, 'it is not UTF-8');
    const after = this.#scanner.skipValue(bytes, start, end);
    this.#scanner.forget();
    if (after < 0) throw malformed(line, this.#scanner.fault!.reason);
    if (skipSpace(bytes, after, end) < end) throw malformed(line, 'expected nothing behind the action');
    this.#action = this.#read(bytes, start, end, line);
    this.#text = Buffer.from(bytes.subarray(start, end));
    return this.#action;
  }

  #read(bytes: Buffer, start: number, end: number, line: number): Action {
    const cursor = this.#cursor;
    cursor.open(bytes, start, end);
    this.#expectObject(line);
    cursor.enter();
    const operation = cursor.member() ? cursor.string : '';
    if (!OPERATIONS.has(operation))
      throw malformed(line, `expected field [create], [delete], [index] or [update] but found [${operation}]`);
    this.#expectObject(line);
    cursor.enter();
    let { index } = this.#defaults;
    let id: string | null = null;
    const others = new Map(defaultHeaders(this.#defaults));
    while (cursor.member()) {
      const name = cursor.string;
      const kept = name.replace(/^_/, '');
      if (IGNORED.has(name)) cursor.skip();
      else if (name === '_index') index = this.#scalar(name, line) ?? index;
      else if (name === '_id') id = this.#scalar(name, line);
      else if (KEPT.has(kept)) {
        const value = this.#scalar(name, line);
        if (value !== null) others.set(`es_${kept}`, Buffer.from(value));
      } else throw invalid(`Action/metadata line [${line}] contains an unknown parameter [${name}]`);
    }
    if (cursor.member()) throw malformed(line, 'expected one action');
    return { operation: operation as Operation, index, id, others: [...others] };
  }

  #expectObject(line: number): void {
    const kind = this.#cursor.kind();
    if (kind === 'object') return;
    const shown = SHOWN_KIND[kind] ?? `VALUE_${kind.toUpperCase()}`;
    throw malformed(line, `expected START_OBJECT but found [${shown}]`);
  }

  /** As text, whatever it was; null for null. */
  #scalar(name: string, line: number): string | null {
    const cursor = this.#cursor;
    const kind = cursor.kind();
    if (kind === 'object' || kind === 'array')
      throw malformed(line, `expected a simple value for field [${name}] but found [${SHOWN_KIND[kind]!}]`);
    cursor.scalar();
    return kind === 'null' ? null : cursor.string;
  }
}

export function defaultHeaders({ pipeline, routing }: ActionDefaults): [name: string, value: Buffer][] {
  return Object.entries({ es_pipeline: pipeline, es_routing: routing }).flatMap(([name, value]) =>
    value === null ? [] : [[name, Buffer.from(value)]],
  );
}

function malformed(line: number, reason: string): SluiceError {
  return invalid(`Malformed action/metadata line [${line}], ${reason}`);
}

function invalid(reason: string): SluiceError {
  return new SluiceError('DECODE_INVALID', reason);
}
