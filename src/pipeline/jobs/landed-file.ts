import { isUtf8 } from 'node:buffer';
import { open, type FileHandle } from 'node:fs/promises';
import type { JobLanding, TopicPartition } from '../../api/index.ts';
import { decoderFor, JsonWriter } from '../../codec/index.ts';
import type { FetchedChunk } from '../../log/index.ts';
import { RecordView } from '../../record/index.ts';

const WRITE_BYTES = 256 * 1024;
const NULL = Buffer.from('null');

/** One partition's part of a batch: a JSON line for each record, with the columns that Spark's Kafka source has. */
export class LandedFile {
  readonly #handle: FileHandle;
  readonly #partition: TopicPartition;
  readonly #values: JobLanding['values'];
  readonly #view = new RecordView({ decode: decoderFor('bytes') });
  readonly #json = new JsonWriter('base64');
  readonly #start: Buffer;
  #records = 0;
  #bytes = 0;

  private constructor(handle: FileHandle, partition: TopicPartition, values: JobLanding['values']) {
    this.#handle = handle;
    this.#partition = partition;
    this.#values = values;
    const { topic, partition: number } = partition;
    this.#start = Buffer.from(`{"topic":${JSON.stringify(topic)},"partition":${number},"offset":`);
  }

  static async create(path: string, partition: TopicPartition, values: JobLanding['values']): Promise<LandedFile> {
    return new LandedFile(await open(path, 'wx'), partition, values);
  }

  /** The records of the chunk below offset `to`. Throws `RECORD_CORRUPT`. */
  async write({ bytes, from }: Pick<FetchedChunk, 'bytes' | 'from'>, to: number): Promise<void> {
    const view = this.#view;
    view.addStored(this.#partition, bytes, from);
    try {
      for (let index = 0; index < view.count && view.offset(index) < to; index++) {
        this.#line(index);
        if (this.#json.end >= WRITE_BYTES) await this.#flush();
      }
    } finally {
      view.clear();
    }
  }

  /** Everything is on the disk when it resolves. */
  async finish(): Promise<{ readonly records: number; readonly bytes: number }> {
    await this.#flush();
    await this.#handle.sync();
    return { records: this.#records, bytes: this.#bytes };
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  async #flush(): Promise<void> {
    const json = this.#json;
    for (let at = 0; at < json.end;) at += (await this.#handle.write(json.bytes, at, json.end - at)).bytesWritten;
    this.#bytes += json.end;
    json.reset();
  }

  #line(index: number): void {
    const [view, json] = [this.#view, this.#json];
    json.raw(this.#start);
    json.ascii(`${view.offset(index)},"timestamp":"${new Date(view.timestamp(index)).toISOString()}",`);
    this.#field('key', view.key(index));
    json.ascii(',');
    this.#field('value', view.value(index));
    let separator = ',"headers":[';
    for (const [name, value] of view.headers(index)) {
      json.ascii(separator);
      json.ascii('{"key":');
      const bytes = Buffer.from(name);
      json.text(bytes, 0, bytes.length);
      json.ascii(',');
      this.#field('value', value);
      json.ascii('}');
      separator = ',';
    }
    json.ascii(separator === ',' ? ']}\n' : '}\n');
    this.#records++;
  }

  /** Text that is none stands in base64 under a name of its own: nothing is lost, and nothing guessed. */
  #field(name: 'key' | 'value', value: Uint8Array | null): void {
    const json = this.#json;
    if (value === null) {
      json.ascii(`"${name}":`);
      json.raw(NULL);
      return;
    }
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    const isText = this.#values === 'text' && isUtf8(bytes);
    json.ascii(this.#values === 'base64' || isText ? `"${name}":` : `"${name}":null,"${name}_base64":`);
    if (isText) json.text(bytes, 0, bytes.length);
    else json.base64(bytes, 0, bytes.length);
  }
}
