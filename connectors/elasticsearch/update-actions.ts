import type { RecordBatch, SluiceError, Template } from 'sluice/api';
import { DELETE, END, ID, idOf, IndexMember, type ActionWriter } from './action-writer.ts';
import type { ByteWriter } from 'sluice/codec';
import type { DocumentWriter, Documents } from './document-writer.ts';
import type { RoutingMember } from './routing-member.ts';

export interface UpdateSettings {
  readonly upsert: boolean;
  readonly script?: string;
  readonly script_id?: string;
  readonly retry_on_conflict: number;
}

const UPDATE = Buffer.from('{"update":{');
const LINE_FEED = Buffer.from('\n');

/** Changes the document of a key; a record without a value deletes it. */
export class UpdateActions implements ActionWriter {
  readonly #index: IndexMember;
  readonly #routing: RoutingMember;
  readonly #end: Buffer;

  constructor(index: Template, routing: RoutingMember, retryOnConflict: number) {
    this.#index = new IndexMember(index);
    this.#routing = routing;
    this.#end = Buffer.from(`,"retry_on_conflict":${retryOnConflict}}}\n`);
  }

  get requestIndex(): string | null {
    return this.#index.requestIndex;
  }

  begin(): void {
    this.#index.begin();
  }

  write(batch: RecordBatch, index: number, writer: ByteWriter): void {
    const id = idOf(batch.key(index));
    const isUpdate = this.hasDocument(batch, index);
    writer.copy(isUpdate ? UPDATE : DELETE);
    writer.copy(this.#index.of(batch, index));
    writer.copy(ID);
    writer.quoted(id);
    writer.copy(this.#routing.of(batch, index));
    writer.copy(isUpdate ? this.#end : END);
  }

  hasDocument(batch: RecordBatch, index: number): boolean {
    return batch.valueLength(index) >= 0;
  }
}

/** The line behind it: the value as the part of a document that changes, or as what a script is told. */
export class UpdateDocuments implements Documents {
  readonly #values: DocumentWriter;
  readonly #before: Buffer;
  readonly #after: Buffer;

  constructor(values: DocumentWriter, settings: UpdateSettings) {
    const [before, after] = surroundings(settings);
    this.#values = values;
    this.#before = Buffer.from(before);
    this.#after = Buffer.from(after);
  }

  write(batch: RecordBatch, index: number, writer: ByteWriter): SluiceError | null {
    writer.copy(this.#before);
    const error = this.#values.write(batch, index, writer);
    if (error !== null) return error;
    writer.length -= LINE_FEED.length;
    writer.copy(this.#after);
    return null;
  }
}

function surroundings({ upsert, script, script_id: id }: UpdateSettings): [before: string, after: string] {
  if (script === undefined && id === undefined) return ['{"doc":', upsert ? ',"doc_as_upsert":true}\n' : '}\n'];
  const which = id === undefined ? { lang: 'painless', source: script } : { id };
  const head = JSON.stringify({ script: { ...which, params: { record: 0 } } });
  // The script makes the document out of an empty one.
  return [head.slice(0, head.lastIndexOf('0}')), upsert ? '}},"scripted_upsert":true,"upsert":{}}\n' : '}}}\n'];
}
