import { randomBytes } from 'node:crypto';
import type { Action, Operation } from './action-lines.ts';
import type { ItemFault } from './documents.ts';
import type { FilterPath } from './filter-path.ts';

export const STATUS: Readonly<Record<Operation, number>> = { index: 201, create: 201, update: 200, delete: 200 };
const RESULT: Readonly<Record<Operation, string>> = {
  index: 'created',
  create: 'created',
  update: 'updated',
  delete: 'deleted',
};
/** Of an item, in the order in which Elasticsearch writes them. */
const FIELDS = [
  '_index',
  '_id',
  '_version',
  'result',
  '_shards',
  '_seq_no',
  '_primary_term',
  'status',
  'error',
] as const;

type Field = (typeof FIELDS)[number];

/** The answer to a bulk request: an item for each action, in their order, written as they come. */
export class BulkAnswer {
  hasErrors = false;
  readonly #filter: FilterPath;
  readonly #wanted: Readonly<Record<Operation, readonly Field[]>>;
  readonly #items: string[] = [];
  /** Ids that nobody gave are made up here, as Elasticsearch does. */
  readonly #idStart = randomBytes(9).toString('base64url');
  #ids = 0;

  constructor(filter: FilterPath) {
    this.#filter = filter;
    const wanted = (operation: Operation): Field[] => FIELDS.filter((field) => filter.wants('items', operation, field));
    this.#wanted = {
      index: wanted('index'),
      create: wanted('create'),
      update: wanted('update'),
      delete: wanted('delete'),
    };
  }

  add(action: Action, fault: ItemFault | null): void {
    if (fault !== null) this.hasErrors = true;
    const fields = this.fieldsOf(action, fault, this.#wanted[action.operation]);
    if (fields !== '') this.#items.push(`{"${action.operation}":{${fields}}}`);
  }

  text(tookMs: number): string {
    const parts = [
      ...(this.#filter.wants('errors') ? [`"errors":${this.hasErrors}`] : []),
      ...(this.#filter.wants('took') ? [`"took":${tookMs}`] : []),
      ...(this.#items.length > 0 || this.#filter.wants('items') ? [`"items":[${this.#items.join(',')}]`] : []),
    ];
    return `{${parts.join(',')}}`;
  }

  /** What is told of one document: members of an object. */
  fieldsOf(action: Action, fault: ItemFault | null, wanted: readonly Field[] = FIELDS): string {
    const members: string[] = [];
    for (const field of wanted) {
      const value = this.#valueOf(field, action, fault);
      if (value !== null) members.push(`"${field}":${value}`);
    }
    return members.join(',');
  }

  /** Null when items of this kind have no such field. */
  #valueOf(field: Field, { operation, index, id }: Action, fault: ItemFault | null): string | null {
    switch (field) {
      case '_index':
        return JSON.stringify(index);
      case '_id':
        if (id !== null || fault !== null) return JSON.stringify(id);
        return `"${this.#idStart}${(this.#ids++).toString(36)}"`;
      case 'status':
        return String(fault?.status ?? STATUS[operation]);
      case 'error':
        return fault === null ? null : JSON.stringify({ type: fault.type, reason: fault.reason });
      default:
        return fault === null ? FIXED[field](operation) : null;
    }
  }
}

/** A topic has neither versions nor shards: what a document gets that is written for the first time. */
const FIXED = {
  _version: () => '1',
  result: (operation: Operation) => `"${RESULT[operation]}"`,
  _shards: () => '{"total":1,"successful":1,"failed":0}',
  _seq_no: () => '0',
  _primary_term: () => '1',
};
