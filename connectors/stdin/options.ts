import { Type } from 'sluice/api';

/** There is one standard input, and nothing about it to choose. */
export const sourceOptions = Type.Object({}, { additionalProperties: false });
