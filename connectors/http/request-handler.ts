import type { BatchBuilder, SourceContext } from 'sluice/api';
import { defaultCodecLimits, JsonScanner } from 'sluice/codec';
import {
  ByteBudget,
  contentCoding,
  createAuthenticator,
  Inflater,
  Refusal,
  type Authenticator,
  type HeldBody,
  type HttpAnswer,
  type HttpExchange,
} from 'sluice/toolkit';
import { formatOf, type Declared } from './body-format.ts';
import { InFlightRequests } from './in-flight-requests.ts';
import type { SourceOptions } from './options.ts';
import { payloadBytes, RecordHeaders, writtenBytes } from './record-headers.ts';
import { appendRecords, FoundRecords, otherTurns, RecordSearch } from './records.ts';
import { idempotencyKey, route } from './routing.ts';

/** How long a whole request waits for room in the topic before its client is told to come back. */
const ROOM_WAIT_MS = 1000;
const ROOM_CHECK_MS = 20;

/** From a request's headers to its answer: nothing of a request is in the topic unless all of it is good, and 200 says that all of it is durable. */
export class RequestHandler {
  readonly #options: SourceOptions;
  readonly #context: SourceContext;
  readonly #authenticator: Authenticator | null;
  readonly #budget: ByteBudget;
  readonly #inflater: Inflater;
  readonly #recordHeaders: RecordHeaders;
  readonly #inFlight = new InFlightRequests();
  readonly #scanner = new JsonScanner(defaultCodecLimits);
  /** Large bodies are read in turns, so one alone would not do. */
  #spare: FoundRecords | null = null;

  constructor(options: SourceOptions, context: SourceContext) {
    this.#options = options;
    this.#context = context;
    this.#authenticator = options.auth === undefined ? null : createAuthenticator(options.auth);
    this.#budget = new ByteBudget(options.max_in_flight);
    this.#inflater = new Inflater({ maxBytes: options.max_inflated_body, budget: this.#budget, clock: context.clock });
    this.#recordHeaders = new RecordHeaders(options.headers);
  }

  /** Of bodies that are not in the topic yet. */
  get heldBytes(): number {
    return this.#budget.usedBytes;
  }

  async handle(exchange: HttpExchange): Promise<HttpAnswer> {
    const { request } = exchange;
    // Load balancers have no credentials, and learn nothing but this.
    if (route(request, this.#options.path) === 'health') return this.#health();
    this.#authenticate(request.headers.authorization);
    const coding = contentCoding(request.headers['content-encoding']);
    const declared = formatOf(this.#options.format, request.headers['content-type']);
    const key = idempotencyKey(request.headers['idempotency-key']);
    const sent = await exchange.readBody({ maxBytes: this.#options.max_body, budget: this.#budget });
    const body = coding === 'identity' ? sent : await this.#inflater.inflate(sent, coding);
    if (key === null) return this.#take(exchange, body, declared, null);
    if (this.#context.seen(key)) {
      body.release();
      return { status: 200, body: { repeated: true } };
    }
    return this.#inFlight.join(key, {
      first: () => this.#take(exchange, body, declared, key),
      later: () => {
        body.release();
      },
    });
  }

  #authenticate(authorization: string | undefined): void {
    if (this.#authenticator === null || this.#authenticator.accepts(authorization)) return;
    throw new Refusal(401, 'this needs credentials that are known here; send them in the Authorization header', {
      headers: { 'WWW-Authenticate': this.#authenticator.challenge },
      turnedAway: 'credentials',
    });
  }

  #health(): HttpAnswer {
    const batch = this.#context.tryBatch();
    if (batch === null) throw new Refusal(503, 'no input is taken just now', { retryAfterSeconds: 1 });
    batch.release();
    return { status: 200, body: { status: 'listening' } };
  }

  async #take(exchange: HttpExchange, body: HeldBody, declared: Declared, key: string | null): Promise<HttpAnswer> {
    const batch = await this.#batchOf(exchange, body, declared);
    const records = batch.count;
    const emitted = this.#context.emit(batch, {
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
    return { status: 200, body: { records } };
  }

  /** Checks the whole body before it appends anything. The body is released as soon as its bytes are in the batch: they count once. */
  async #batchOf(exchange: HttpExchange, body: HeldBody, declared: Declared): Promise<BatchBuilder> {
    const records = this.#spare ?? new FoundRecords();
    this.#spare = null;
    try {
      const headers = this.#recordHeaders.of(exchange.request);
      const search = new RecordSearch(
        records,
        { bytes: body.bytes, declared },
        {
          scanner: this.#scanner,
          maxRecords: this.#options.max_records,
          maxRecordBytes: this.#context.maxRecordBytes - payloadBytes(headers),
        },
      );
      while (search.advance()) await otherTurns();
      const bytes = records.batchBytes(writtenBytes(headers));
      const batch = this.#context.tryBatch(bytes) ?? (await this.#room(bytes));
      const kept = { timestampMs: this.#context.clock.now(), headers };
      let from = appendRecords(batch, { bytes: body.bytes, records, from: 0 }, kept);
      while (from < records.count) {
        await otherTurns();
        from = appendRecords(batch, { bytes: body.bytes, records, from }, kept);
      }
      return batch;
    } finally {
      body.release();
      records.reset();
      this.#scanner.forget();
      this.#spare = records;
    }
  }

  async #room(bytes: number): Promise<BatchBuilder> {
    const { clock } = this.#context;
    const deadline = clock.monotonic() + ROOM_WAIT_MS;
    while (clock.monotonic() < deadline) {
      await clock.sleep(ROOM_CHECK_MS);
      const batch = this.#context.tryBatch(bytes);
      if (batch !== null) return batch;
    }
    throw new Refusal(429, 'the topic takes no more input just now; send the request again later', {
      retryAfterSeconds: 1,
    });
  }
}
