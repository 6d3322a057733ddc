import { STATUS_CODES } from 'node:http';
import { SluiceError, type SourceContext } from 'sluice/api';
import {
  ByteBudget,
  contentCoding,
  createAuthenticator,
  CrossOrigin,
  Inflater,
  isPreflight,
  Refusal,
  RequestGathering,
  type Authenticator,
  type HttpAnswer,
  type HttpExchange,
} from 'sluice/toolkit';
import { HttpEntries, type HttpEncoding, type HttpPlace } from './http-entries.ts';
import { formField, multipartField, type FormField } from './http-form.ts';
import type { SourceOptions } from './options.ts';

const ENCODINGS: ReadonlyMap<string, HttpEncoding> = new Map<string, HttpEncoding>([
  ['application/json', 'json'],
  ['application/csp-report', 'json'],
  ['application/x-ndjson', 'ndjson'],
  ['application/msgpack', 'msgpack'],
  ['application/x-msgpack', 'msgpack'],
]);
const FORMS: ReadonlyMap<string, (contentType: string) => FormField> = new Map([
  ['application/x-www-form-urlencoded', () => formField],
  ['multipart/form-data', multipartField],
]);
const FORM_FIELDS = ['msgpack', 'json', 'ndjson'] as const;
const METHODS = ['POST', 'PUT'];
const OK: HttpAnswer = { status: 200 };

/** One request as fluentd's `in_http` takes it: the path is the tag, an empty answer says that all records are durable. */
export class HttpHandler {
  readonly #options: SourceOptions;
  readonly #context: SourceContext;
  readonly #authenticator: Authenticator | null;
  readonly #crossOrigin: CrossOrigin;
  readonly #budget: ByteBudget;
  readonly #inflater: Inflater;
  readonly #gathering: RequestGathering<HttpEntries>;

  constructor(options: SourceOptions, context: SourceContext) {
    this.#options = options;
    this.#context = context;
    this.#authenticator = options.auth === undefined ? null : createAuthenticator(options.auth);
    this.#crossOrigin = new CrossOrigin(options.cors, METHODS);
    this.#budget = new ByteBudget(options.max_in_flight);
    const maxBytes = options.max_inflated_message;
    this.#inflater = new Inflater({ maxBytes, budget: this.#budget, clock: context.clock });
    this.#gathering = new RequestGathering({
      context,
      budget: this.#budget,
      limits: { maxValueBytes: maxBytes, maxBytes: options.max_in_flight },
      createReader: () => new HttpEntries({ ...options, maxRecordBytes: context.maxRecordBytes }),
    });
  }

  /** Of bodies that are not in the topic yet. */
  get heldBytes(): number {
    return this.#budget.usedBytes;
  }

  async handle(exchange: HttpExchange): Promise<HttpAnswer> {
    let forPages: HttpAnswer['headers'] = {};
    let answer: HttpAnswer;
    try {
      forPages = this.#crossOrigin.admit(exchange.request.headers);
      answer = await this.#handle(exchange);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      answer = textAnswer(error);
    }
    return { ...answer, headers: { ...answer.headers, ...forPages } };
  }

  async #handle(exchange: HttpExchange): Promise<HttpAnswer> {
    const { method = '', url = '', headers } = exchange.request;
    if (method === 'GET' || method === 'HEAD') return this.#health();
    if (isPreflight(method, headers)) return this.#crossOrigin.preflight(headers);
    if (!METHODS.includes(method))
      throw new Refusal(405, `${method} does nothing here; post records`, {
        headers: { Allow: 'GET, HEAD, POST, PUT' },
      });
    this.#authenticate(headers.authorization);
    const type = typeOf(headers['content-type']);
    const coding = contentCoding(headers['content-encoding']);
    const sent = await exchange.readBody({ maxBytes: this.#options.max_message, budget: this.#budget });
    const body = coding === 'identity' ? sent : await this.#inflater.inflate(sent, coding);
    const place = placeOf(url, this.#context.clock.now());
    const { batch } = await this.#gathering.batchOf(body, (entries, bytes) => readAll(entries, type, bytes, place));
    try {
      await this.#context.emit(batch, { stream: exchange.connection.name });
    } catch (error) {
      throw new Refusal(503, 'the records could not be confirmed; send them again', {
        retryAfterSeconds: 5,
        cause: error,
      });
    }
    return OK;
  }

  /** Without credentials, as load balancers ask. */
  #health(): HttpAnswer {
    const batch = this.#context.tryBatch();
    if (batch === null) throw new Refusal(503, 'no input is taken just now', { retryAfterSeconds: 1 });
    batch.release();
    return OK;
  }

  #authenticate(authorization: string | undefined): void {
    if (this.#authenticator === null || this.#authenticator.accepts(authorization)) return;
    throw new Refusal(401, 'this needs credentials that are known here; send them in the Authorization header', {
      headers: { 'WWW-Authenticate': this.#authenticator.challenge },
      turnedAway: 'credentials',
    });
  }
}

function typeOf(contentType = ''): HttpEncoding | FormField {
  const name = contentType.split(';', 1)[0]!.trim().toLowerCase();
  const type = ENCODINGS.get(name) ?? FORMS.get(name)?.(contentType);
  if (type !== undefined) return type;
  const known = [...ENCODINGS.keys(), ...FORMS.keys()].join(', ');
  throw new Refusal(415, `the content type ${JSON.stringify(name)} is not known; use one of ${known}`);
}

/** `/app/web?time=1.5` is the tag `app.web` and half past one second. */
function placeOf(url: string, nowMs: number): HttpPlace {
  const [path = '', query = ''] = url.split('?', 2);
  const tag = path
    .split('/')
    .filter((name) => name !== '')
    .join('.');
  return { tag: Buffer.from(tag, 'latin1'), seconds: secondsOf(new URLSearchParams(query).get('time')), nowMs };
}

function secondsOf(text: string | null): number | null {
  const seconds = text === null || text.trim() === '' ? NaN : Number(text);
  return Number.isFinite(seconds) ? seconds : null;
}

function* readAll(
  entries: HttpEntries,
  type: HttpEncoding | FormField,
  bytes: Buffer,
  place: HttpPlace,
): Generator<void, void> {
  try {
    if (typeof type === 'string') yield* entries.read(type, bytes, place);
    else yield* readForm(entries, (name) => type(bytes, name), place);
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    const status = error.code === 'RECORD_TOO_LARGE' ? 413 : 400;
    throw new Refusal(status, `${error.message}; nothing of this request was taken`);
  }
}

/** The first of the fields that hold records; `time` beside it is their time. */
function* readForm(
  entries: HttpEntries,
  field: (name: string) => Buffer | null,
  place: HttpPlace,
): Generator<void, void> {
  const time = field('time')?.toString('latin1') ?? null;
  const timed = { ...place, seconds: place.seconds ?? secondsOf(time) };
  for (const encoding of FORM_FIELDS) {
    const records = field(encoding);
    if (records !== null) {
      yield* entries.read(encoding, records, timed);
      return;
    }
  }
  throw new Refusal(
    400,
    `the form has none of the fields ${FORM_FIELDS.join(', ')}; nothing of this request was taken`,
  );
}

/** As fluentd answers: in words. */
function textAnswer({ status, message, headers, turnedAway }: Refusal): HttpAnswer {
  const title = `${status} ${STATUS_CODES[status] ?? ''}`.trim();
  return { status, headers, turnedAway, content: { type: 'text/plain', bytes: `${title}\n${message}\n` } };
}
