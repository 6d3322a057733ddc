import type { IncomingHttpHeaders } from 'node:http';
import type { BatchBuilder, SourceContext } from 'sluice/api';
import { defaultCodecLimits, JsonScanner, JsonWriter } from 'sluice/codec';
import {
  contentCoding,
  CrossOrigin,
  GatheredRecords,
  Inflater,
  otherTurns,
  Refusal,
  refusalAnswer,
  RequestGathering,
  roomFor,
  type ByteBudget,
  type HeldBody,
  type HttpAnswer,
  type HttpExchange,
} from 'sluice/toolkit';
import { isReading, type FormatRequest, type Gathering, type Reading, type RouteFormat } from './formats/format.ts';
import { FoundRecords } from './formats/found-records.ts';
import { createFormat } from './formats/index.ts';
import { Gate } from './gate.ts';
import type { RouteOptions } from './options.ts';
import { payloadBytes, RecordHeaders, writtenBytes, type HeaderList } from './record-headers.ts';
import { appendRecords } from './records.ts';
import { idempotencyKey, InFlightRequests, scopedKey } from './repeats.ts';

/** What the routes of a listener share. */
export interface RouteContext {
  readonly source: SourceContext;
  readonly budget: ByteBudget;
}

/** A request that reached a route, and who sent it: null when a proxy that is trusted says nonsense. */
export interface RoutedRequest extends FormatRequest {
  readonly path: string;
  readonly clientAddress: string | null;
}

/** What a request becomes: its records, and the answer once they are durable. */
interface Answered {
  readonly batch: BatchBuilder;
  readonly answer: HttpAnswer;
}

/** From a request's headers to its answer: nothing of a request is in the topic unless all of it is good, and 200 says that all of it is durable. */
export class Route {
  readonly path: string;
  readonly methods: readonly string[];
  readonly ownsPathsBelow: boolean;
  readonly #options: RouteOptions;
  readonly #source: SourceContext;
  readonly #budget: ByteBudget;
  readonly #inflater: Inflater;
  readonly #format: RouteFormat;
  readonly #gatherings: RequestGathering<{ readonly records: GatheredRecords }>;
  readonly #crossOrigin: CrossOrigin;
  readonly #gate: Gate;
  readonly #recordHeaders: RecordHeaders;
  readonly #inFlight = new InFlightRequests();
  readonly #scanner = new JsonScanner(defaultCodecLimits);
  /** Large bodies are read in turns, so one alone would not do. */
  #spare: FoundRecords | null = null;

  constructor(options: RouteOptions, { source, budget }: RouteContext) {
    this.path = options.path;
    this.#options = options;
    this.#source = source;
    this.#budget = budget;
    this.#inflater = new Inflater({ maxBytes: options.max_inflated_body, budget, clock: source.clock });
    this.#format = createFormat(options);
    this.methods = this.#format.methods;
    this.ownsPathsBelow = this.#format.ownsPathsBelow;
    this.#gatherings = new RequestGathering({
      context: source,
      budget,
      limits: { maxValueBytes: options.max_inflated_body, maxBytes: budget.limitBytes },
      createReader: () => ({ records: new GatheredRecords(new JsonWriter('replace'), source.maxRecordBytes) }),
    });
    this.#crossOrigin = new CrossOrigin(options.cors, this.methods);
    this.#gate = new Gate(options);
    this.#recordHeaders = new RecordHeaders(options);
  }

  /** Throws 403. */
  preflight(headers: IncomingHttpHeaders): HttpAnswer {
    return this.#crossOrigin.preflight(headers);
  }

  async handle(exchange: HttpExchange, request: RoutedRequest): Promise<HttpAnswer> {
    let forPages: HttpAnswer['headers'] = {};
    let answer: HttpAnswer;
    try {
      forPages = this.#crossOrigin.admit(request.headers);
      answer = await this.#handle(exchange, request);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const refused = this.#format.refused?.(error, request) ?? refusalAnswer(error);
      answer = { ...refused, turnedAway: error.turnedAway };
    }
    return request.headers.origin === undefined ? answer : { ...answer, headers: { ...answer.headers, ...forPages } };
  }

  async #handle(exchange: HttpExchange, request: RoutedRequest): Promise<HttpAnswer> {
    const { headers } = request;
    const user = this.#gate.admit(headers, request.clientAddress);
    const coding = contentCoding(headers['content-encoding']);
    const reading = this.#format.accept(request);
    if (!isReading(reading)) return reading;
    const key = idempotencyKey(request);
    const sent = await exchange.readBody({ maxBytes: this.#options.max_body, budget: this.#budget });
    this.#checkSignature(request, sent);
    const body = coding === 'identity' ? sent : await this.#inflater.inflate(sent, coding);
    if (key === null) return this.#take(exchange, { request, body, reading, key });
    const scoped = scopedKey(key, { path: this.path, user });
    if (this.#source.seen(scoped)) {
      body.release();
      return reading.repeated();
    }
    return this.#inFlight.join(scoped, {
      first: () => this.#take(exchange, { request, body, reading, key: scoped }),
      later: () => {
        body.release();
      },
    });
  }

  #checkSignature({ headers }: RoutedRequest, sent: HeldBody): void {
    try {
      this.#gate.checkSignature(headers, sent.bytes, this.#source.clock.now());
    } catch (error) {
      sent.release();
      throw error;
    }
  }

  async #take(
    exchange: HttpExchange,
    whole: {
      readonly request: RoutedRequest;
      readonly body: HeldBody;
      readonly reading: Reading | Gathering;
      readonly key: string | null;
    },
  ): Promise<HttpAnswer> {
    const { request, body, reading, key } = whole;
    const { batch, answer } =
      'gather' in reading ? await this.#gather(request, body, reading) : await this.#search(request, body, reading);
    const emitted = this.#source.emit(batch, {
      stream: exchange.connection.name,
      ...(key === null ? {} : { dedupeIds: [key] }),
    });
    try {
      await emitted;
    } catch (error) {
      throw new Refusal(503, 'the records could not be confirmed; send them again', {
        retryAfterSeconds: 5,
        cause: error,
      });
    }
    return answer;
  }

  /** Writes the records of the body anew, in the way of its protocol. */
  async #gather(request: RoutedRequest, body: HeldBody, reading: Gathering): Promise<Answered> {
    const nowMs = this.#source.clock.now();
    const maxRecords = this.#options.max_records;
    const shared = this.#recordHeaders.of(request);
    const { batch, result: answer } = await this.#gatherings.batchOf(body, ({ records }, bytes) =>
      reading.gather({ bytes, nowMs, records, maxRecords, shared }),
    );
    return { batch, answer };
  }

  /** Checks the whole body before it appends anything. The body is released as soon as its bytes are in the batch: they count once. */
  async #search(request: RoutedRequest, body: HeldBody, reading: Reading): Promise<Answered> {
    const records = this.#spare ?? new FoundRecords();
    this.#spare = null;
    try {
      const headers = this.#recordHeaders.of(request);
      records.source = body.bytes;
      const search = reading.search(body.bytes, records, {
        scanner: this.#scanner,
        maxRecords: this.#options.max_records,
        maxRecordBytes: this.#source.maxRecordBytes - payloadBytes(headers),
        maxWrittenBytes: this.#options.max_inflated_body,
      });
      while (search.advance()) await otherTurns();
      const batch = await this.#fill(records, headers);
      return { batch, answer: reading.taken(batch.count) };
    } finally {
      body.release();
      records.reset();
      this.#scanner.forget();
      this.#spare = records;
    }
  }

  async #fill(records: FoundRecords, headers: HeaderList): Promise<BatchBuilder> {
    const bytes = records.batchBytes(writtenBytes(headers));
    const batch = await roomFor(this.#source, bytes);
    const timestampMs = this.#source.clock.now();
    try {
      let from = 0;
      while (from < records.count) {
        if (from > 0) await otherTurns();
        from = appendRecords(batch, records, { from, timestampMs, headers });
      }
    } catch (error) {
      batch.release();
      throw error;
    }
    return batch;
  }
}
