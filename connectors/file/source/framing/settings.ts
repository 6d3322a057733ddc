import type { SourceOptions } from '../../source-options.ts';
import type { framingOptions } from './options.ts';
import type { Encoding } from './encoding.ts';
import type { EventPatterns } from './multiline/pattern-rules.ts';
import type { presets } from './multiline/presets.ts';

/** How the bytes of files become records. Sizes in bytes, durations in milliseconds. */
export interface FramingSettings {
  readonly framing: 'lines' | 'nul' | 'length' | 'file';
  /** Of the length before a record, which does not count itself. */
  readonly lengthBytes: 1 | 2 | 4;
  readonly byteOrder: 'big' | 'little';
  readonly encoding: Encoding;
  readonly keepsCarriageReturn: boolean;
  /** Of a record; Infinity: what the record limit allows. */
  readonly maxLineBytes: number;
  readonly onLongLine: 'dead_letter' | 'truncate' | 'skip';
  /** With whole files: how long one has to stay as it is. */
  readonly completeAfterMs: number;
  readonly multiline: MultilineSettings | null;
  readonly pathFields: string | null;
  readonly addHeaders: readonly FileHeader[];
}

/** Which lines are one record: by a ready-made table, or by patterns. */
export interface MultilineSettings {
  readonly preset: keyof typeof presets | null;
  readonly patterns: EventPatterns;
  readonly maxLines: number;
  /** Infinity: what the record limit allows. */
  readonly maxBytes: number;
  /** How long nothing may come before the last event counts as over. */
  readonly timeoutMs: number;
}

type FileHeader = 'path' | 'offset' | 'inode' | 'encoding_error';

export type FramingOptions = Pick<SourceOptions, keyof typeof framingOptions>;

export function framingSettings(options: FramingOptions): FramingSettings {
  return {
    framing: options.framing,
    lengthBytes: options.length_bytes,
    byteOrder: options.byte_order,
    encoding: options.encoding,
    keepsCarriageReturn: options.keep_carriage_return,
    maxLineBytes: options.max_line ?? Infinity,
    onLongLine: options.on_long_line,
    completeAfterMs: options.complete_after,
    multiline: options.multiline === undefined ? null : multilineSettings(options.multiline),
    pathFields: options.path_fields ?? null,
    addHeaders: options.add_headers,
  };
}

function multilineSettings(options: NonNullable<SourceOptions['multiline']>): MultilineSettings {
  const { preset = null, start, continue: following, end, negate } = options;
  return {
    preset,
    patterns: { start, continue: following, end, negate },
    maxLines: options.max_lines,
    maxBytes: options.max_bytes ?? Infinity,
    timeoutMs: options.timeout,
  };
}
