/** Bytes ↔ values, with limits. Exported as `sluice/codec`. */
export { decoderFor, isJsonText, type Decoding } from './decode.ts';
export { JsonLine } from './json-line.ts';
export { JsonFields } from './json-fields.ts';
export { JsonScanner } from './json-scanner.ts';
export { skipSpace } from './json-tokens.ts';
export { defaultCodecLimits, type CodecFault, type CodecLimits } from './limits.ts';
export { jsonLineSlices, jsonSlices, lineSlices, type RecordSlices, type SliceOptions } from './slices.ts';
