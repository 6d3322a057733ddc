/** Bytes ↔ values, with limits. Exported as `sluice/codec`. */
export { ByteWriter } from './byte-writer.ts';
export { decoderFor, isJsonText, type Decoding } from './decode.ts';
export { FlatObjects } from './flat-objects.ts';
export { JsonCursor, type JsonKind } from './json-cursor.ts';
export { JsonLine } from './json-line.ts';
export { JsonWriter } from './json-writer.ts';
export { JsonFields } from './json-fields.ts';
export { JsonMembers } from './json-members.ts';
export { JsonObject } from './json-object.ts';
export { JsonScanner } from './json-scanner.ts';
export { skipSpace } from './json-tokens.ts';
export { defaultCodecLimits, type CodecFault, type CodecLimits, type InvalidText } from './limits.ts';
export { MsgpackCursor, type MsgpackKind } from './msgpack-cursor.ts';
export { MsgpackJson } from './msgpack-json.ts';
export { MsgpackScanner } from './msgpack-scanner.ts';
export { ProtobufCursor, type ProtobufWire } from './protobuf-cursor.ts';
export { jsonLineSlices, jsonSlices, lineSlices, type RecordSlices, type SliceOptions } from './slices.ts';
export { WordMembers } from './word-members.ts';
