import type { Document, Node, Pair, Scalar, YAMLMap } from 'yaml';
import type { Json } from '../api/index.ts';
import type { PlaceAt, ProblemCode, ValuePath } from './problems.ts';
import { offsetInScalar } from './yaml-scalar.ts';

type Yaml = typeof import('yaml');
type Refuse = (offset: number, code: ProblemCode, message: string) => void;

const MAX_ALIASES = 20;
/** What aliases may blow a file up to. */
const MAX_NODES = 50_000;
/** Names with which a careless merge would change every object of the process. */
const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);

/** The plain value of a document, of core types only. Not whole: there is nothing to go on with. */
export function readValue(document: Document, yaml: Yaml, refuse: Refuse): { value: Json; isWhole: boolean } {
  let [aliases, nodes, isWhole] = [0, 0, true];
  const stop = (node: Node, message: string): null => {
    if (isWhole) refuse(startOf(node), 'CONFIG_SYNTAX', message);
    isWhole = false;
    return null;
  };
  const read = (node: unknown, open: readonly Node[]): Json => {
    if (!isWhole || !yaml.isNode(node)) return null;
    if (++nodes > MAX_NODES) return stop(node, 'aliases blow the file up; write it out');
    if (yaml.isAlias(node)) {
      if (++aliases > MAX_ALIASES) return stop(node, `more than ${MAX_ALIASES} aliases; write the values out`);
      const target = node.resolve(document);
      if (target === undefined) return stop(node, `there is no anchor \`&${node.source}\` before this alias`);
      if (open.includes(target)) return stop(node, 'an alias of something that it is part of');
      return read(target, open);
    }
    if (yaml.isSeq(node)) return node.items.map((item) => read(item, [...open, node]));
    if (!yaml.isMap(node)) return scalarValue(node);
    const entries = new Map<string, Json>();
    for (const pair of node.items) {
      const key = keyOf(pair, yaml);
      const fault = keyFault(key, entries);
      if (fault !== null) refuse(startOf(pair.key, node), ...fault);
      const value = read(pair.value, [...open, node]);
      if (fault === null && key !== null) entries.set(key, value);
    }
    return Object.fromEntries(entries);
  };
  const value = read(document.contents, []);
  return { value, isWhole };
}

function keyFault(key: string | null, entries: ReadonlyMap<string, Json>): [ProblemCode, string] | null {
  if (key === null) return ['CONFIG_FORBIDDEN_KEY', 'a key must be text'];
  if (key === '<<') return ['CONFIG_FORBIDDEN_KEY', 'merge keys are not read; write the keys out'];
  if (FORBIDDEN.has(key)) return ['CONFIG_FORBIDDEN_KEY', `\`${key}\` is not allowed as a key`];
  return entries.has(key) ? ['CONFIG_DUPLICATE_KEY', `\`${key}\` stands here a second time; remove one`] : null;
}

/** Numbers beyond what a double holds stay apart from what they round to: no option takes infinity. */
function scalarValue({ value }: Scalar): Json {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
}

/** As it is written: `8080:` is the key "8080". */
function keyOf({ key }: Pair, yaml: Yaml): string | null {
  if (!yaml.isScalar(key)) return null;
  if (typeof key.value === 'string') return key.value;
  return key.value === null || key.source === undefined ? null : key.source;
}

function startOf(node: unknown, fallback?: Node): number {
  const range = (node as { range?: readonly number[] | null } | null)?.range ?? fallback?.range;
  return range?.[0] ?? 0;
}

/** Where in the text a path of the value stands. */
export function offsetOf(document: Document, yaml: Yaml, text: string, path: ValuePath, at: PlaceAt): number {
  let node: unknown = document.contents;
  let key: unknown = node;
  for (const step of path) {
    if (yaml.isAlias(node)) node = node.resolve(document);
    const child = childOf(node, step, yaml);
    // Something that is missing is shown where it would belong: at the key of the nearest thing that is there.
    if (child === null) return startOf(key);
    [key, node] = child;
  }
  if (yaml.isAlias(node)) node = node.resolve(document);
  if (at === 'key' || !yaml.isNode(node)) return startOf(key);
  if (typeof at !== 'number' || !yaml.isScalar(node)) return startOf(node);
  return offsetInScalar(node, text, at);
}

function childOf(node: unknown, step: string | number, yaml: Yaml): [key: unknown, value: unknown] | null {
  if (yaml.isSeq(node)) {
    const item = node.items[Number(step)];
    return item === undefined ? null : [item, item];
  }
  if (!yaml.isMap(node)) return null;
  const pair = pairsOf(node, yaml).get(String(step));
  return pair === undefined ? null : [pair.key, pair.value];
}

const pairsByKey = new WeakMap<YAMLMap, ReadonlyMap<string | null, Pair>>();

/** Of a key that stands twice the first, as in the value. Kept, since each of many thousand wrong keys is looked up. */
function pairsOf(map: YAMLMap, yaml: Yaml): ReadonlyMap<string | null, Pair> {
  let pairs = pairsByKey.get(map);
  if (pairs === undefined) {
    pairs = new Map(map.items.toReversed().map((pair) => [keyOf(pair, yaml), pair]));
    pairsByKey.set(map, pairs);
  }
  return pairs;
}
