import { Type } from '../api/index.ts';

/** The lengths before records of sources that have `framing: length`. */
export const lengthOptions = {
  length_bytes: Type.Union([Type.Literal(1), Type.Literal(2), Type.Literal(4)], {
    default: 4,
    description: 'With `framing: length`: how many bytes the length has. It does not count itself.',
  }),
  byte_order: Type.Union([Type.Literal('big'), Type.Literal('little')], {
    default: 'big',
    description: 'With `framing: length`: which of its bytes comes first.',
  }),
};
