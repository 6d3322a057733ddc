import type { Headers } from 'sluice/api';
import type { TailedFile } from '../tailed-file.ts';
import { PathFields } from './path-fields.ts';
import type { FramingSettings } from './settings.ts';

type HeaderList = readonly (readonly [name: string, value: Buffer])[];

/** The varints of a name and a value, at most, and the longest number. */
const HEADER_OVERHEAD_BYTES = 10;
const OFFSET_HEADER = 'file.offset';
const OFFSET_BYTES = OFFSET_HEADER.length + HEADER_OVERHEAD_BYTES + 16;
const TRUNCATED: readonly [string, Buffer] = ['file.truncated', Buffer.from('true')];
const TRUNCATED_BYTES = TRUNCATED[0].length + TRUNCATED[1].length + HEADER_OVERHEAD_BYTES;
const ENCODING_ERROR: readonly [string, Buffer] = ['file.encoding_error', Buffer.from('true')];
const ENCODING_ERROR_BYTES = ENCODING_ERROR[0].length + ENCODING_ERROR[1].length + HEADER_OVERHEAD_BYTES;

/** The headers that records of one file share. */
export interface FileLabels {
  readonly path: string;
  /** The same list for all of them: a batch encodes it once. */
  readonly headers: HeaderList | undefined;
  /** What they take of the record limit, at most. */
  readonly byteLength: number;
}

/** Names records after the file that they come from, as far as that is asked for. */
export class Labels {
  readonly hasOffset: boolean;
  /** Whether records are told apart that are no UTF-8. */
  readonly marksErrors: boolean;
  readonly #truncates: boolean;
  readonly #hasPath: boolean;
  readonly #hasInode: boolean;
  readonly #fields: PathFields | null;
  readonly #known = new WeakMap<TailedFile, FileLabels>();

  constructor({ addHeaders, pathFields, onLongLine, encoding }: FramingSettings) {
    this.hasOffset = addHeaders.includes('offset');
    this.marksErrors = encoding === 'utf-8' && addHeaders.includes('encoding_error');
    this.#truncates = onLongLine === 'truncate';
    this.#hasPath = addHeaders.includes('path');
    this.#hasInode = addHeaders.includes('inode');
    this.#fields = pathFields === null ? null : new PathFields(pathFields);
  }

  /** By the name that the file has now. */
  of(file: TailedFile): FileLabels {
    const known = this.#known.get(file);
    if (known?.path === file.path) return known;
    const headers = [...this.#headersOf(file)];
    let byteLength = (this.hasOffset ? OFFSET_BYTES : 0) + (this.#truncates ? TRUNCATED_BYTES : 0);
    if (this.marksErrors) byteLength += ENCODING_ERROR_BYTES;
    for (const [name, value] of headers) byteLength += Buffer.byteLength(name) + value.length + HEADER_OVERHEAD_BYTES;
    const labels = { path: file.path, headers: headers.length === 0 ? undefined : headers, byteLength };
    this.#known.set(file, labels);
    return labels;
  }

  /** For a record that begins at `offset`. */
  headersOf({ headers }: FileLabels, offset: number, isTruncated: boolean, isWrong: boolean): Headers | undefined {
    if (!this.hasOffset && !isTruncated && !isWrong) return headers;
    const list: (readonly [string, Buffer])[] = headers === undefined ? [] : [...headers];
    if (this.hasOffset) list.push([OFFSET_HEADER, Buffer.from(String(offset))]);
    if (isTruncated) list.push(TRUNCATED);
    if (isWrong) list.push(ENCODING_ERROR);
    return list;
  }

  *#headersOf({ path, key }: TailedFile): Iterable<readonly [string, Buffer]> {
    for (const [name, text] of this.#fields?.of(path) ?? []) yield [name, Buffer.from(text)];
    if (this.#hasPath) yield ['file.path', Buffer.from(path)];
    // The key is device and inode.
    if (this.#hasInode) yield ['file.inode', Buffer.from(key.slice(key.indexOf(':') + 1))];
  }
}
