import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import {
  SluiceError,
  type Expression,
  type Failure,
  type RecordBatch,
  type RecordFailure,
  type Sink,
  type SinkContext,
  type Template,
  type WriteResult,
} from 'sluice/api';
import { KeyedActions, LogActions, type ActionWriter, type Version } from './action-writer.ts';
import { BulkBody } from './bulk-body.ts';
import { readBulkReply, readRefusal, type BulkReply } from './bulk-reply.ts';
import type { Bootstrap } from './bootstrap.ts';
import type { Cluster, ClusterAnswer } from './cluster.ts';
import { DocumentWriter } from './document-writer.ts';
import { missingDocuments } from './missing-documents.ts';
import { RoutingMember } from './routing-member.ts';
import { UpdateActions, UpdateDocuments, type UpdateSettings } from './update-actions.ts';
import { judgeAnswer, judgeItem, tooLarge } from './verdicts.ts';

const compress = promisify(gzip);

/** Documents repeat their names: the fastest level takes most of what there is to save. */
const GZIP_LEVEL = 1;
/** Without the statuses of items that went well nobody could tell which items the others are. */
const FILTER = 'errors,items.*.status,items.*.error.type,items.*.error.reason';

export interface ElasticsearchSinkSettings {
  readonly index: Template;
  readonly mode: 'log' | 'keyed' | 'update';
  readonly version: Version;
  readonly update: UpdateSettings;
  readonly isDataStream: boolean;
  readonly pipeline: string | null;
  readonly requireAlias: boolean;
  readonly refresh: 'none' | 'wait' | 'now';
  readonly routing: Expression | null;
  readonly isGzipped: boolean;
  readonly maxRequestBytes: number;
  /** How long the server may wait for shards: less than we wait for the server, so that it says what is wrong. */
  readonly shardTimeoutMs: number;
}

/** The cluster, and what it shall have before the first document. */
interface Reach {
  readonly cluster: Cluster;
  readonly bootstrap: Bootstrap;
}

/** Sends batches as bulk requests. */
export class ElasticsearchSink implements Sink {
  readonly #settings: ElasticsearchSinkSettings;
  readonly #context: SinkContext;
  readonly #cluster: Cluster;
  readonly #bootstrap: Bootstrap;
  readonly #closing = new AbortController();
  readonly #signal: AbortSignal;
  readonly #query: Readonly<Record<string, string>>;
  /** Bodies that are not on their way: as many as writes overlap. */
  readonly #bodies: BulkBody[] = [];
  #isPrepared = false;
  #preparing: Promise<Failure | null> | null = null;
  #written = 0;
  #known = 0;
  #left = 0;

  constructor(settings: ElasticsearchSinkSettings, context: SinkContext, { cluster, bootstrap }: Reach) {
    const { pipeline, requireAlias, refresh, shardTimeoutMs } = settings;
    this.#settings = settings;
    this.#context = context;
    this.#cluster = cluster;
    this.#bootstrap = bootstrap;
    this.#signal = AbortSignal.any([context.signal, this.#closing.signal]);
    this.#query = {
      filter_path: FILTER,
      timeout: `${shardTimeoutMs}ms`,
      ...(pipeline === null ? {} : { pipeline }),
      ...(requireAlias ? { require_alias: 'true' } : {}),
      ...(refresh === 'none' ? {} : { refresh: refresh === 'wait' ? 'wait_for' : 'true' }),
    };
  }

  async write(batch: RecordBatch): Promise<WriteResult> {
    const unmade = this.#isPrepared ? null : await this.#prepare();
    if (unmade !== null) return { batch: unmade };
    let left: ReadonlySet<number> | null = null;
    if (this.#leavesMissing) {
      const missing = await this.#missing(batch);
      if ('disposition' in missing) return { batch: missing };
      left = missing;
    }
    const body = this.#bodies.pop() ?? this.#createBody();
    if (!body.fill(batch, left)) {
      this.#bodies.push(body);
      return { batch: tooLarge(`building a bulk request: larger than ${this.#settings.maxRequestBytes} bytes`) };
    }
    let answer: ClusterAnswer | null = null;
    if (body.count > 0) {
      try {
        answer = await this.#post(body);
      } catch (error) {
        // The body is left to the collector: its bytes may still be on their way.
        if (error instanceof SluiceError) return { batch: failureOf(error) };
        throw error;
      }
    }
    const result = answer === null ? { failures: body.refused } : this.#judge(answer, body);
    this.#bodies.push(body);
    if (left !== null) this.#reportLeft(left.size);
    return result;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#cluster.close();
  }

  /** Writes overlap: all of them wait for the one that prepares. */
  async #prepare(): Promise<Failure | null> {
    this.#preparing ??= this.#bootstrap.run(this.#signal);
    try {
      const failure = await this.#preparing;
      this.#isPrepared = failure === null;
      return failure;
    } catch (error) {
      if (error instanceof SluiceError) return failureOf(error);
      throw error;
    } finally {
      this.#preparing = null;
    }
  }

  /** Nothing tells an old record of a key from its deletion once Elasticsearch has forgotten that. */
  get #leavesMissing(): boolean {
    return this.#settings.mode === 'keyed' && this.#context.replay?.resurrect === false;
  }

  async #missing(batch: RecordBatch): Promise<ReadonlySet<number> | Failure> {
    const { index } = this.#settings;
    try {
      return await missingDocuments(batch, { index, cluster: this.#cluster, signal: this.#signal });
    } catch (error) {
      if (error instanceof SluiceError) return failureOf(error);
      throw error;
    }
  }

  #createBody(): BulkBody {
    const { mode, update, isDataStream, maxRequestBytes } = this.#settings;
    const values = new DocumentWriter({ addsTimestamp: isDataStream });
    const documents = mode === 'update' ? new UpdateDocuments(values, update) : values;
    return new BulkBody({ actions: this.#createActions(), documents, maxBytes: maxRequestBytes });
  }

  #createActions(): ActionWriter {
    const { index, mode, version, update, routing } = this.#settings;
    const member = new RoutingMember(routing);
    switch (mode) {
      case 'log':
        return new LogActions(index, member);
      case 'keyed':
        return new KeyedActions(index, member, version);
      case 'update':
        return new UpdateActions(index, member, update.retry_on_conflict);
    }
  }

  async #post(body: BulkBody): Promise<ClusterAnswer> {
    const { isGzipped } = this.#settings;
    const bytes = isGzipped ? await compress(body.bytes, { level: GZIP_LEVEL }) : body.bytes;
    const path = body.index === null ? '/_bulk' : `/${encodeURIComponent(body.index)}/_bulk`;
    return this.#cluster.send({ method: 'POST', path, query: this.#query, body: bytes, isGzipped }, this.#signal);
  }

  #judge({ status, bytes, doing, retryAfterMs }: ClusterAnswer, body: BulkBody): WriteResult {
    if (status < 200 || status >= 300) return { batch: judgeAnswer(readRefusal(bytes, status), doing, retryAfterMs) };
    const reply = readBulkReply(bytes, body.count, this.#settings.mode !== 'update');
    if (reply === null) {
      const what = `the answer does not speak of ${body.count} items`;
      return { batch: failureOf(new SluiceError('SINK_UNAVAILABLE', `${doing}: ${what}`, { retryable: true })) };
    }
    this.#report(reply, body.count);
    const target = { hasConstantIndex: this.#settings.index.constant !== null };
    const failures: RecordFailure[] = [...body.refused];
    for (const refusal of reply.refused)
      failures.push({ index: body.recordOf(refusal.item), ...judgeItem(refusal, target) });
    return { failures };
  }

  #report({ known, refused }: BulkReply, count: number): void {
    this.#written += count - known - refused.length;
    this.#known += known;
    this.#tell();
  }

  #reportLeft(count: number): void {
    this.#left += count;
    this.#tell();
  }

  #tell(): void {
    const were = this.#settings.mode === 'log' ? 'were there already' : 'were older than what is there';
    const knownPart = this.#known === 0 ? '' : `, ${grouped(this.#known)} ${were}`;
    const leftPart =
      this.#left === 0 ? '' : `, ${grouped(this.#left)} are not there any more (--resurrect writes them)`;
    this.#context.report(`${grouped(this.#written)} written${knownPart}${leftPart}`);
  }
}

function failureOf(error: SluiceError): Failure {
  return { disposition: error.retryable ? 'retry' : 'block', error };
}

function grouped(number: number): string {
  return number.toLocaleString('en-US');
}
