import type { DataRecord } from '../api/index.ts';

/** The variables of an expression as CEL wants them, computed when it asks. One object serves all records of an expression. */
export class Bindings {
  record: DataRecord;
  /** Stands in for the record's value when it is not undefined. */
  shielded: unknown;

  constructor(record: DataRecord) {
    this.record = record;
  }

  get key(): string | null {
    return this.record.key;
  }

  get value(): unknown {
    return this.shielded === undefined ? this.record.value : this.shielded;
  }

  get timestamp(): Date {
    return new Date(this.record.timestamp);
  }

  /** A map, so that a header may have any name. */
  get headers(): ReadonlyMap<string, string | null> {
    return new Map(Object.entries(this.record.headers));
  }

  get topic(): string {
    return this.record.topic;
  }

  get partition(): bigint {
    return BigInt(this.record.partition);
  }

  get offset(): bigint {
    return BigInt(this.record.offset);
  }
}

/**
 * The CEL library tells kinds of objects by `constructor`, so data that has a member of that name is foreign to it. Returns the value with such objects, and
 * those around them, as maps; the very same value when there are none.
 */
export function shieldConstructors(value: unknown): unknown {
  if (Array.isArray(value)) {
    const list: readonly unknown[] = value;
    const shielded = list.map(shieldConstructors);
    return shielded.some((element, index) => element !== list[index]) ? shielded : list;
  }
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value;
  const members = Object.entries(value);
  const shielded = members.map(([name, member]) => [name, shieldConstructors(member)] as const);
  const isForeign = Object.hasOwn(value, 'constructor');
  return isForeign || shielded.some(([, member], index) => member !== members[index]![1]) ? new Map(shielded) : value;
}
