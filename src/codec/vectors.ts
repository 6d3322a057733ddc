import type { CodecLimits } from './limits.ts';
import { VECTOR_MODULE } from './vector-module.ts';

/** As far as it is used here: neither the language's library nor Node's types know it. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

interface Constant {
  readonly value: number;
}

/** What wasm/index.ts exports. */
interface VectorModule {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly READ_UP_TO: Constant;
  readonly WINDOW: Constant;
  readonly WINDOW_BYTES: Constant;
  readonly OUTPUT: Constant;
  readonly CUT_OFF: Constant;
  readonly NAME: Constant;
  readonly NAME_BYTES: Constant;
  readonly NAMES: Constant;
  readonly NAMES_BYTES: Constant;
  writeWords(at: number, end: number, to: number): number;
  isFlatObject(at: number, end: number, nameBytes: number, reserved: number): number;
  isJsonLine(at: number, end: number): number;
  writeText(at: number, end: number, to: number): number;
  skipJson(at: number, end: number, outerDepth: number, maxDepth: number, maxNames: number): number;
  writeMsgpack(at: number, end: number, to: number, maxDepth: number, maxNames: number): number;
}

/**
 * The steps of the codec that go sixteen bytes at a time, in WebAssembly. What they read is copied into a window of its memory, and what they write out of it; whatever is
 * rare, does not fit or is refused they leave to JavaScript, which does all that they do, slower.
 */
export class Vectors {
  /** The most that fits into the window. */
  readonly windowBytes: number;
  /** What a value that the window cuts off is written as. */
  readonly cutOff: number;
  /** Its memory; what was written lies in it from `output` on. */
  readonly bytes: Buffer;
  readonly output: number;
  /** Of the longest name that `isFlatObject` can be told. */
  readonly nameBytes: number;
  /** Of the names that `writeWords` can be told. */
  readonly namesBytes: number;
  /** Whose bytes lie in the window. */
  holder: object | null = null;
  readonly #module: VectorModule;
  readonly #window: number;
  readonly #words: Int32Array;
  readonly #readUpToAt: number;
  /** The name that is in its memory. */
  #name: Buffer | null = null;
  /** The names for words. */
  #names: Buffer | null = null;

  constructor() {
    const writeLongNumber = (value: number, to: number): number =>
      to + this.bytes.write(Number.isFinite(value) ? String(value) : 'null', to, 'latin1');
    const module = new WebAssembly.Module(Buffer.from(VECTOR_MODULE, 'base64'));
    const { exports } = new WebAssembly.Instance(module, { host: { writeLongNumber } });
    this.#module = exports as VectorModule;
    const { memory, WINDOW, WINDOW_BYTES, OUTPUT, READ_UP_TO, CUT_OFF } = this.#module;
    this.bytes = Buffer.from(memory.buffer);
    this.#words = new Int32Array(memory.buffer);
    this.#window = WINDOW.value;
    this.windowBytes = WINDOW_BYTES.value;
    this.output = OUTPUT.value;
    this.cutOff = CUT_OFF.value;
    this.nameBytes = this.#module.NAME_BYTES.value;
    this.namesBytes = this.#module.NAMES_BYTES.value;
    this.#readUpToAt = READ_UP_TO.value / Int32Array.BYTES_PER_ELEMENT;
  }

  /** Puts `source[start, end)` into the window. */
  load(holder: object | null, source: Buffer, start: number, end: number): void {
    this.holder = holder;
    if (start < end) source.copy(this.bytes, this.#window, start, end);
  }

  /** Writes a JSON string of `source[start, end)` into `out` and returns where it ends; -1 when that is not UTF-8, or does not fit into the window. */
  writeText(source: Buffer, start: number, end: number, out: Buffer, to: number): number {
    const length = end - start;
    if (length > this.windowBytes) return -1;
    this.load(null, source, start, end);
    const written = this.#module.writeText(this.#window, this.#window + length, this.output);
    return written === 0 ? -1 : to + this.bytes.copy(out, to, this.output, written);
  }

  /** Writes the MessagePack value at `at` of the window, which holds bytes up to `end`. Returns where in `bytes` it ends, `cutOff`, or 0 when it is left to JavaScript. */
  writeMsgpack(at: number, end: number, limits: CodecLimits): number {
    const window = this.#window;
    return this.#module.writeMsgpack(window + at, window + end, this.output, limits.maxDepth, limits.maxKeys);
  }

  /** Is `source[start, end)` one JSON value, on one line? False also when it does not fit into the window. */
  isJsonLine(source: Buffer, start: number, end: number): boolean {
    const length = end - start;
    if (length > this.windowBytes) return false;
    this.load(null, source, start, end);
    return this.#module.isJsonLine(this.#window, this.#window + length) !== 0;
  }

  /** What `FlatObjects` says; false also when it does not fit into the window. */
  isFlatObject(
    source: Buffer,
    start: number,
    end: number,
    { name, reserved }: { readonly name: Buffer; readonly reserved: number },
  ): boolean {
    const length = end - start;
    if (length > this.windowBytes) return false;
    if (this.#name !== name) name.copy(this.bytes, this.#module.NAME.value);
    this.#name = name;
    this.load(null, source, start, end);
    return this.#module.isFlatObject(this.#window, this.#window + length, name.length, reserved) !== 0;
  }

  /** Where in the window the JSON value ends that begins at `at` of it, before `end`; -1 when it is left to JavaScript. `outerDepth` counts what is around it. */
  skipJson(at: number, end: number, outerDepth: number, { maxDepth, maxKeys }: CodecLimits): number {
    const window = this.#window;
    const after = this.#module.skipJson(window + at, window + end, outerDepth, maxDepth, maxKeys);
    return after === 0 ? -1 : after - window;
  }

  /** Writes words and what comes behind them, from `at` to `end` of the window, as members. Returns where in `bytes` they end, -1 when it is left to JavaScript. */
  writeWords(at: number, end: number, names: Buffer): number {
    if (this.#names !== names) names.copy(this.bytes, this.#module.NAMES.value);
    this.#names = names;
    const window = this.#window;
    const written = this.#module.writeWords(window + at, window + end, this.output);
    return written === 0 ? -1 : written;
  }

  /** Where in the window the MessagePack value, or the first word, ends that was read last. */
  get readUpTo(): number {
    return this.#words[this.#readUpToAt]! - this.#window;
  }
}

let shared: Vectors | null | undefined;

/** One for each thread; null where there is no WebAssembly, or none with vectors. */
export function sharedVectors(): Vectors | null {
  if (shared === undefined) {
    try {
      shared = new Vectors();
    } catch {
      shared = null;
    }
  }
  return shared;
}
