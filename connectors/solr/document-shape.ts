import { SluiceError } from 'sluice/api';
import { JsonMembers, JsonObject, skipSpace, type ByteWriter } from 'sluice/codec';
import { idText, type Ids } from './ids.ts';

const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const MAX_DEPTH = 128;
/** Of documents within documents. */
const MAX_LEVELS = 16;

/** With these a record would tell Solr what to do, or which document it belongs to. */
const RESERVED = new Set([
  '_version_',
  '_root_',
  '_nest_path_',
  '_nest_parent_',
  '_childDocuments_',
  '_childDocument_',
]);

export interface ShapeSettings {
  readonly idField: string;
  /** Other names of members; false leaves one out. */
  readonly fields: ReadonlyMap<string, string | false>;
  readonly nested: 'refuse' | 'children' | 'flatten' | 'json';
  readonly isUpdate: boolean;
  readonly operators: ReadonlySet<string>;
  /** Written by us. */
  readonly versionField: string | null;
  /** A record says by `_version_` which version it is for, and has to. */
  readonly takesVersion: boolean;
}

/** Writes the members of a value as fields: names that change, objects, atomic updates. Values stay the bytes that they are. */
export class DocumentShape {
  readonly #settings: ShapeSettings;
  readonly #members = new JsonMembers({ maxDepth: MAX_DEPTH });
  /** One for each level of nesting. */
  readonly #levels: JsonObject[] = [];
  #value: Buffer = Buffer.alloc(0);
  #writer!: ByteWriter;

  constructor(settings: ShapeSettings) {
    this.#settings = settings;
  }

  /** Behind the id, up to and with the closing brace. `value` is one JSON object and a byte behind it. */
  write(value: Buffer, ids: Ids, writer: ByteWriter): SluiceError | null {
    this.#value = value;
    this.#writer = writer;
    try {
      this.#fields(idText(ids));
      writer.byte(CLOSE_BRACE);
      return null;
    } catch (error) {
      if (error instanceof SluiceError) return error;
      throw error;
    }
  }

  #fields(id: string): void {
    const { idField, fields, versionField, takesVersion } = this.#settings;
    const object = this.#read(0, 0, this.#value.length - 1);
    let hasVersion = false;
    for (let member = 0; member < object.count; member++) {
      const name = object.name(member);
      const field = fields.get(name) ?? name;
      if (field === false || field === versionField) continue;
      if (field === idField) {
        this.#checkId(object, member, id);
        continue;
      }
      if (field === '_version_' && takesVersion) {
        this.#copyVersion(object, member);
        hasVersion = true;
        continue;
      }
      this.#field(object, member, { field, id, level: 0 });
    }
    if (takesVersion && !hasVersion) throw refused('it says no `_version_` that its document should have');
  }

  #field(object: JsonObject, member: number, { field, id, level }: Place): void {
    if (RESERVED.has(field))
      throw refused(`the field ${JSON.stringify(field)} belongs to Solr; map it with \`fields\``);
    const [start, end] = [object.valueStart(member), object.valueEnd(member)];
    const kind = object.kind(member);
    const { isUpdate, nested } = this.#settings;
    if (kind === 'object' && isUpdate && level === 0 && this.#isOperation(start, end)) {
      this.#name(field);
      this.#raw(start, end);
    } else if (kind === 'scalar' || kind === 'array') this.#plain(field, start, end, level);
    else if (nested === 'json') this.#asText(field, start, end, level);
    else if (nested === 'flatten' && kind === 'object') this.#flatten(start, end, { field, id, level });
    else if (nested === 'children') this.#children(start, end, { field, id, level });
    else if (nested === 'flatten')
      throw refused(`the field ${JSON.stringify(field)} is a list of objects, which cannot be flattened`);
    else throw refused(`the field ${JSON.stringify(field)} holds an object; \`nested\` says what becomes of those`);
  }

  #plain(field: string, start: number, end: number, level: number): void {
    this.#name(field);
    const isSet = this.#settings.isUpdate && level === 0;
    if (isSet) this.#writer.copy(SET);
    this.#raw(start, end);
    if (isSet) this.#writer.byte(CLOSE_BRACE);
  }

  #asText(field: string, start: number, end: number, level: number): void {
    this.#name(field);
    const isSet = this.#settings.isUpdate && level === 0;
    if (isSet) this.#writer.copy(SET);
    this.#writer.quoted(this.#value.subarray(start, end));
    if (isSet) this.#writer.byte(CLOSE_BRACE);
  }

  #flatten(start: number, end: number, { field, id, level }: Place): void {
    const object = this.#read(level + 1, start, end);
    for (let member = 0; member < object.count; member++) {
      // All of them are fields of the one document: `level` counts the depth only.
      const place = { field: `${field}.${object.name(member)}`, id, level: level + 1 };
      const [valueStart, valueEnd] = [object.valueStart(member), object.valueEnd(member)];
      const kind = object.kind(member);
      if (kind === 'scalar' || kind === 'array') this.#plain(place.field, valueStart, valueEnd, 0);
      else this.#field(object, member, place);
    }
  }

  #children(start: number, end: number, { field, id, level }: Place): void {
    if (this.#settings.isUpdate)
      throw refused(
        `the field ${JSON.stringify(field)} holds an object, and atomic updates of children are not written`,
      );
    this.#name(field);
    if (this.#value[start] === OPEN_BRACE) {
      this.#child(start, end, { id: `${id}/${field}`, level: level + 1 });
      return;
    }
    const writer = this.#writer;
    writer.byte(OPEN_BRACKET);
    let at = skipSpace(this.#value, start + 1, end);
    for (let count = 0; this.#value[at] !== CLOSE_BRACKET; count++) {
      if (this.#value[at] === COMMA) at = skipSpace(this.#value, at + 1, end);
      if (this.#value[at] !== OPEN_BRACE)
        throw refused(`the field ${JSON.stringify(field)} mixes objects with other values`);
      if (count > 0) writer.byte(COMMA);
      const after = this.#members.skip(this.#value, at, end);
      this.#child(at, after, { id: `${id}/${field}#${count}`, level: level + 1 });
      at = skipSpace(this.#value, after, end);
    }
    writer.byte(CLOSE_BRACKET);
  }

  /** `id`: for one that has none of its own. */
  #child(start: number, end: number, { id, level }: { id: string; level: number }): void {
    const { idField } = this.#settings;
    const object = this.#read(level, start, end);
    const writer = this.#writer;
    const own = [...Array(object.count).keys()].find((member) => object.name(member) === idField);
    const ownId = own === undefined ? id : this.#scalarText(object, own);
    if (ownId === null || ownId === '')
      throw refused(`the \`${idField}\` of a nested document is neither text nor a number`);
    writer.copy(Buffer.from(`{${JSON.stringify(idField)}:${JSON.stringify(ownId)}`));
    for (let member = 0; member < object.count; member++) {
      if (member !== own) this.#field(object, member, { field: object.name(member), id: ownId, level });
    }
    writer.byte(CLOSE_BRACE);
  }

  #checkId(object: JsonObject, member: number, id: string): void {
    if (this.#scalarText(object, member) === id) return;
    const { idField } = this.#settings;
    const remedy = `name it otherwise by \`fields: { ${idField}: … }\`, or make it the key of the records`;
    throw refused(`its \`${idField}\` is not the id that the document gets (${id}); ${remedy}`);
  }

  #copyVersion(object: JsonObject, member: number): void {
    const text = this.#value.toString('latin1', object.valueStart(member), object.valueEnd(member));
    if (!/^"?-?\d{1,19}"?$/.test(text)) throw refused('its `_version_` is no whole number');
    this.#name('_version_');
    this.#raw(object.valueStart(member), object.valueEnd(member));
  }

  /** `{"add-distinct": …}` and nothing beside it, if records may say that. */
  #isOperation(start: number, end: number): boolean {
    const object = this.#read(1, start, end);
    return object.count === 1 && !object.hasNested && this.#settings.operators.has(object.name(0));
  }

  /** Null for what is neither text nor a number. */
  #scalarText(object: JsonObject, member: number): string | null {
    if (object.kind(member) !== 'scalar') return null;
    const text = this.#value.toString('utf8', object.valueStart(member), object.valueEnd(member));
    if (text.startsWith('"')) return JSON.parse(text) as string;
    return /^[-0-9]/.test(text) ? text : null;
  }

  #read(level: number, start: number, end: number): JsonObject {
    if (level > MAX_LEVELS) throw refused(`it is nested deeper than ${MAX_LEVELS} levels`);
    const object = (this.#levels[level] ??= new JsonObject({ maxDepth: MAX_DEPTH }));
    object.read(this.#value, start, end);
    return object;
  }

  #name(field: string): void {
    this.#writer.copy(Buffer.from(`,${JSON.stringify(field)}:`));
  }

  #raw(start: number, end: number): void {
    this.#writer.copy(this.#value.subarray(start, end));
  }
}

const SET = Buffer.from('{"set":');

interface Place {
  readonly field: string;
  /** Of the document that it is a field of. */
  readonly id: string;
  readonly level: number;
}

function refused(reason: string): SluiceError {
  return new SluiceError('SINK_REJECTED', `making a document of a value: ${reason}`);
}
