// What Sluice's codec does by vectors of sixteen bytes, in AssemblyScript. `npm run wasm` makes src/codec/vector-module.ts of it; src/codec/vectors.ts calls it.
import { fillTables } from './tables';

export { isFlatObject } from './flat-object';
export { isJsonLine, skipJson } from './json';
export { NAME, NAME_BYTES, NAMES, NAMES_BYTES, OUTPUT, READ_UP_TO, WINDOW, WINDOW_BYTES } from './memory';
export { CUT_OFF, writeMsgpack } from './msgpack';
export { writeText } from './text';
export { writeWords } from './words';

fillTables();
