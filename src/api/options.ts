import { Type, type SchemaOptions, type TUnsafe } from '@sinclair/typebox';
import type { DataRecord, RecordBatch } from './batch.ts';

/**
 * Fragments of which connectors build their options. In YAML each is a string; what `create` gets is the converted value named by
 * the static type. `format` steers validation and conversion (`src/config/convert.ts`).
 */
interface FragmentOptions<Value> {
  readonly description: string;
  readonly default?: Value;
  readonly examples?: readonly Value[];
}

function fragment<Converted>(schema: SchemaOptions): TUnsafe<Converted> {
  return Type.Unsafe<Converted>(schema);
}

/** `500ms`, `5s`, `10m`, `24h`, `7d` → milliseconds. `minimum` and `maximum` are durations too. */
export function duration(
  options: FragmentOptions<string> & { readonly minimum?: string; readonly maximum?: string },
): TUnsafe<number> {
  return fragment({ type: 'string', format: 'duration', ...renamed(options, 'Duration') });
}

/** `512B`, `64KiB`, `16MiB`, `1GiB`, `10MB` → bytes. */
export function size(
  options: FragmentOptions<string> & { readonly minimum?: string; readonly maximum?: string },
): TUnsafe<number> {
  return fragment({ type: 'string', format: 'size', ...renamed(options, 'Size') });
}

/** `127.0.0.1:8080`, `[::1]:8080`; `:8080` means loopback; port 0 takes a free one. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export function listenAddress(options: FragmentOptions<string>): TUnsafe<ListenAddress> {
  return fragment({ type: 'string', format: 'listen-address', ...options });
}

/** A path, relative to the file it stands in → absolute. */
export function path(options: FragmentOptions<string>): TUnsafe<string> {
  return fragment({ type: 'string', format: 'path', minLength: 1, ...options });
}

/** A pattern of paths (`*`, `**`, `{a,b}`), relative to the file it stands in → absolute. */
export function glob(options: FragmentOptions<string>): TUnsafe<string> {
  return fragment({ type: 'string', format: 'glob', minLength: 1, ...options });
}

/** Never logged, printed or returned; best given as a reference: `${env:NAME}`, `${file:/run/secrets/x}`. */
export function secret(options: Omit<FragmentOptions<string>, 'default'>): TUnsafe<string> {
  return fragment({ type: 'string', minLength: 1, secret: true, ...options });
}

/** What a template reaches `create` as: compiled. `constant` when it holds no expression. Rendering throws `EXPRESSION_FAILED` or `TEMPLATE_ESCAPED`: reject the record. */
export interface Template {
  readonly constant: string | null;
  /**
   * What no rendering leaves. `confined: 'path'`: the folders before the first expression as an absolute path without a slash at its end (the whole
   * path when it is constant); otherwise the text before the first expression.
   */
  readonly prefix: string;
  render(batch: RecordBatch, index: number): string;
}

/**
 * Text with `{{ expression }}` in it. `confined: 'path'` demands a literal first folder, relative to the file it stands in, and keeps every rendered
 * piece below that folder; `confined: 'name'` demands a literal prefix and lets expressions add only letters, digits, `.`, `_` and `-`.
 */
export function template(
  options: FragmentOptions<string> & { readonly confined: 'path' | 'name' | 'none' },
): TUnsafe<Template> {
  return fragment({ type: 'string', format: 'template', minLength: 1, ...options });
}

/** What an expression reaches `create` as. */
export interface Expression {
  evaluate(record: DataRecord): unknown;
}

export function expression(options: FragmentOptions<string>): TUnsafe<Expression> {
  return fragment({ type: 'string', format: 'expression', minLength: 1, ...options });
}

// JSON Schema gives `minimum` a meaning for numbers only: ours go under names of their own.
function renamed(
  { minimum, maximum, ...rest }: FragmentOptions<string> & { readonly minimum?: string; readonly maximum?: string },
  suffix: 'Duration' | 'Size',
): SchemaOptions {
  return {
    ...rest,
    ...(minimum === undefined ? {} : { [`minimum${suffix}`]: minimum }),
    ...(maximum === undefined ? {} : { [`maximum${suffix}`]: maximum }),
  };
}
