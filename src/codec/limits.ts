/** How far a value may go before it is refused: what passes here must not break a sink that walks it. */
export interface CodecLimits {
  /** Arrays and objects within each other. */
  readonly maxDepth: number;
  /** Different names of members in one value, at all depths together. */
  readonly maxKeys: number;
}

export const defaultCodecLimits: CodecLimits = { maxDepth: 64, maxKeys: 1000 };

/** Why bytes are refused, and where: `at` counts the bytes before the place. */
export interface CodecFault {
  readonly code: 'DECODE_INVALID' | 'DECODE_DEPTH' | 'DECODE_KEYS' | 'RECORD_TOO_LARGE';
  readonly at: number;
  /** Says what is wrong, without the place: `expected a value, found "}"`. */
  readonly reason: string;
}

/** What becomes of text that is not UTF-8: its wrong bytes are replaced by U+FFFD, or all of it is written in base64. */
export type InvalidText = 'replace' | 'base64';
