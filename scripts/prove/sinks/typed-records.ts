import { seededRandom } from '../../../src/testing/index.ts';

/** A cell as both sides write it down: whole numbers as digits, floating point as the hexadecimal digits of its 8 bytes. */
export type PlainCell = string | boolean | null | readonly PlainCell[] | { readonly [name: string]: PlainCell };

/** What a record is in the topic, and what has to be read of it. */
export interface TypedRecord {
  readonly value: string;
  readonly columns: Readonly<Record<string, PlainCell>>;
  readonly nested: PlainCell;
}

/** A column of each type, `key` and `offset` aside; two of them required. */
export const columnTypes = {
  n: 'long',
  text: 'string',
  small: 'int',
  big: 'long',
  single: 'float',
  real: 'double',
  flag: 'boolean',
  at: 'timestamp',
  tree: 'json',
} as const;
export const requiredColumns: readonly string[] = ['n', 'at'];

/** What columns have no type for. A union, a time and a date stand in values as they are. */
export const nestedSchema = {
  type: 'record',
  name: 'Order',
  fields: [
    { name: 'n', type: 'long' },
    { name: 'state', type: { type: 'enum', name: 'State', symbols: ['open', 'paid', 'sent'] } },
    { name: 'owner', type: ['null', { type: 'record', name: 'Owner', fields: [{ name: 'name', type: 'string' }] }] },
    { name: 'amounts', type: { type: 'array', items: 'double' } },
    { name: 'counts', type: { type: 'map', values: 'long' } },
    { name: 'note', type: ['null', 'string', 'long'] },
    { name: 'seen', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'day', type: { type: 'int', logicalType: 'date' } },
  ],
};

const texts = ['', 'plain', 'a,"b"\n', 'Grüße', '漢字', '😀', '\u0000', ' ', '\\', 'x'.repeat(3000)];
const longs = ['9223372036854775807', '-9223372036854775808', '9007199254740993', '0', '-1'];
const doubles = [0, 5e-324, 1.7976931348623157e308, -1.5, 0.1, 1e21, 123_456_789.125];
const times = [
  '1969-12-31T23:59:59.999Z',
  '0001-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999Z',
  '2026-03-01T12:00:00.250+02:00',
];
const states = ['open', 'paid', 'sent'] as const;

/** The same one for the same number: all types with the ends of their ranges, and nothing in a fifth of the cells. */
export function typedRecord(n: number): TypedRecord {
  const random = new Random(n);
  const cells = {
    text: random.orNothing(random.oneOf(texts) + String(n)),
    small: random.orNothing(random.oneOf([-(2 ** 31), 2 ** 31 - 1, 0, n])),
    big: random.orNothing(random.oneOf([...longs, String(n)])),
    single: random.orNothing(random.oneOf([0.1, -3.5, 1e30, n / 7])),
    real: random.orNothing(random.oneOf([...doubles, n / 3])),
    flag: random.orNothing(n % 3 === 0),
    tree: random.orNothing({ n, list: [1, 'two', null, { three: true }] }),
  };
  const at = random.oneOf(times);
  const nested = nestedValue(n, random);
  // A member that is absent and one that is null are both nothing.
  const members = Object.entries(cells).filter(([, cell]) => cell !== null || n % 2 === 0);
  return {
    value: JSON.stringify({ n, at, ...Object.fromEntries(members), ...nested }),
    columns: {
      n: String(n),
      text: cells.text,
      small: digits(cells.small),
      big: cells.big,
      single: cells.single === null ? null : hexOf(Math.fround(cells.single)),
      real: cells.real === null ? null : hexOf(cells.real),
      flag: cells.flag,
      at: String(Date.parse(at)),
      tree: cells.tree === null ? null : JSON.stringify(cells.tree),
    },
    nested: {
      n: String(n),
      state: nested.state,
      owner: nested.owner,
      amounts: nested.amounts.map(hexOf),
      counts: Object.fromEntries(Object.entries(nested.counts).map(([name, count]) => [name, String(count)])),
      note:
        nested.note === null ? null : { [typeof nested.note === 'string' ? 'text' : 'number']: String(nested.note) },
      seen: String(nested.seen),
      day: String(nested.day),
    },
  };
}

function nestedValue(n: number, random: Random) {
  return {
    state: random.oneOf(states),
    owner: random.orNothing({ name: random.oneOf(texts) }),
    amounts: Array.from({ length: n % 4 }, () => random.oneOf(doubles)),
    counts: Object.fromEntries(Array.from({ length: n % 3 }, (_each, at) => [`key ${at}`, n * at])),
    note: random.orNothing(random.oneOf<string | number>(['Grüße', n])),
    seen: Date.parse(random.oneOf(times)),
    day: random.oneOf([0, -1, 20_513]),
  };
}

class Random {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = seededRandom(seed);
  }

  oneOf<T>(list: readonly T[]): T {
    return list[Math.floor(this.#next() * list.length)]!;
  }

  orNothing<T>(value: T): T | null {
    return this.#next() < 0.2 ? null : value;
  }
}

function digits(whole: number | null): string | null {
  return whole === null ? null : String(whole);
}

function hexOf(number: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(number);
  return bytes.toString('hex');
}
