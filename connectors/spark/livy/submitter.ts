import { SluiceError, type JobBatch, type JobHandle, type JobSink, type JobState } from 'sluice/api';
import type { HttpClient, HttpClientAnswer } from 'sluice/toolkit';
import { applicationFile, batchArguments, propertiesOf } from '../application.ts';
import { readObject, type Members } from '../json.ts';
import type { SinkOptions } from '../options.ts';
import { reasonIn } from '../reason.ts';
import { refusal, unreadable } from '../refusal.ts';

const LOG_LINES = 300;
const FAILED = ['error', 'dead', 'killed'];

/** Batches of Livy. Their names are unique as long as Livy knows them: that makes a submission idempotent while Livy lives. */
export class LivySubmitter implements JobSink {
  readonly #options: SinkOptions;
  readonly #client: HttpClient;
  readonly #signal: AbortSignal;

  constructor(options: SinkOptions, client: HttpClient, signal: AbortSignal) {
    this.#options = options;
    this.#client = client;
    this.#signal = signal;
  }

  /** One that failed before has the name, and has to make room for the next. */
  async find(batch: JobBatch): Promise<JobHandle | null> {
    const answer = await this.#send('GET', `/batches/${encodeURIComponent(batch.id)}`);
    if (answer.status === 404) return null;
    const found = this.#read(answer, 'looking for a batch');
    const id = found.number('id');
    if (id === null) throw unreadable('looking for a batch');
    if (!FAILED.includes(found.text('state') ?? '')) return { batch: id };
    await this.end({ batch: id });
    return null;
  }

  async submit(batch: JobBatch): Promise<JobHandle> {
    const body = Buffer.from(JSON.stringify(this.#request(batch)));
    const answer = await this.#send('POST', '/batches', body);
    if (answer.status === 400 && /duplicate session name/i.test(answer.bytes.toString())) {
      const found = await this.find(batch);
      if (found !== null) return found;
      throw new SluiceError('SINK_UNAVAILABLE', 'submitting a batch: an earlier one has its name', { retryable: true });
    }
    const id = this.#read(answer, 'submitting a batch').number('id');
    if (id === null) throw unreadable('submitting a batch');
    return { batch: id };
  }

  async look(handle: JobHandle, { id }: JobBatch): Promise<JobState> {
    const batch = batchIn(handle);
    if (batch === null) return { state: 'unknown' };
    const answer = await this.#send('GET', `/batches/${batch}`);
    if (answer.status === 404) return { state: 'unknown' };
    const found = this.#read(answer, `looking at batch ${batch}`);
    // A server that was started anew counts from 0 again.
    if (found.text('name') !== id) return { state: 'unknown' };
    const state = found.text('state') ?? '';
    if (state === 'success') return { state: 'succeeded' };
    if (['starting', 'not_started', 'recovering'].includes(state)) return { state: 'queued', reason: null };
    if (!FAILED.includes(state)) return { state: 'running' };
    const reason = state === 'killed' ? 'somebody ended it' : reasonIn(await this.output(handle).catch(() => ''));
    return {
      state: 'failed',
      error: new SluiceError('JOB_FAILED', `running batch ${batch} of Livy: ${reason ?? state}`),
    };
  }

  async end(handle: JobHandle): Promise<void> {
    const batch = batchIn(handle);
    if (batch === null) return;
    const answer = await this.#send('DELETE', `/batches/${batch}`);
    if (answer.status !== 404) this.#read(answer, `ending batch ${batch}`);
  }

  async output(handle: JobHandle): Promise<string> {
    const batch = batchIn(handle);
    if (batch === null) return '';
    const answer = await this.#send('GET', `/batches/${batch}/log?from=-1&size=${LOG_LINES}`);
    if (answer.status !== 200) return '';
    const { log } = JSON.parse(answer.bytes.toString()) as { readonly log?: unknown };
    return Array.isArray(log) ? log.map(String).join('\n') : '';
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  #request(batch: JobBatch): object {
    const { application, livy } = this.#options;
    return {
      file: applicationFile(application),
      name: batch.id,
      className: application.class,
      args: [...application.arguments, ...batchArguments(batch)],
      jars: application.jars,
      pyFiles: application.py_files,
      files: application.files,
      conf: propertiesOf(this.#options),
      proxyUser: livy!.proxy_user,
      queue: livy!.queue,
    };
  }

  #read(answer: HttpClientAnswer, doing: string): Members {
    if (answer.status !== 200 && answer.status !== 201) throw refusal(doing, answer);
    const said = readObject(answer.bytes);
    if (said === null) throw unreadable(doing);
    return said;
  }

  /** Livy wants to see that no browser was made to ask. */
  #send(method: 'GET' | 'POST' | 'DELETE', path: string, body?: Buffer): Promise<HttpClientAnswer> {
    const headers = { 'content-type': 'application/json', 'x-requested-by': 'sluice' };
    return this.#client.send({ method, path, headers, ...(body === undefined ? {} : { body }) }, this.#signal);
  }
}

/** Null for a job that was submitted elsewhere, before the options were changed. */
function batchIn(handle: JobHandle): number | null {
  const { batch } = (handle ?? {}) as { readonly batch?: unknown };
  return typeof batch === 'number' ? batch : null;
}
