import { SluiceError, type JobBatch } from 'sluice/api';
import type { HttpClient, HttpClients } from 'sluice/toolkit';
import { applicationFile, applicationUrl, batchArguments, isPython, propertiesOf } from '../application.ts';
import { readObject, type Members } from '../json.ts';
import type { SinkOptions } from '../options.ts';
import { refusal, unreadable } from '../refusal.ts';
import { shorten } from '../reason.ts';

/** Required, and not looked at: any version is taken. */
const CLIENT_VERSION = '4.1.1';
const PYTHON_RUNNER = 'org.apache.spark.deploy.PythonRunner';

export interface DriverStatus {
  /** In Spark's words; null for a driver that the master does not know. */
  readonly state: string | null;
  readonly message: string | null;
  readonly workerId: string | null;
}

/** The REST servers of the masters of one cluster. One of them leads; the others stand by and refuse. */
export class SubmissionServer {
  readonly #clients: readonly HttpClient[];
  readonly #signal: AbortSignal;
  #leader = 0;

  constructor(endpoints: readonly string[], clients: HttpClients, signal: AbortSignal) {
    this.#clients = endpoints.map((endpoint) => clients.client(endpoint));
    this.#signal = signal;
  }

  /** Resolves with the id of the driver. What fails without an answer may have started one. */
  async create(request: object): Promise<string> {
    const body = Buffer.from(JSON.stringify(request));
    const answer = await this.#ask('POST', '/v1/submissions/create', body);
    const id = answer.text('submissionId');
    if (answer.flag('success') === true && id !== null && /^[\w.-]+$/.test(id)) return id;
    const said = shorten(answer.text('message') ?? 'without a reason');
    throw new SluiceError('SINK_BLOCKED', `submitting an application: the master refuses it: ${said}`);
  }

  async status(id: string): Promise<DriverStatus> {
    const answer = await this.#ask('GET', `/v1/submissions/status/${encodeURIComponent(id)}`);
    if (answer.flag('success') !== true) return { state: null, message: null, workerId: null };
    return { state: answer.text('driverState'), message: answer.text('message'), workerId: answer.text('workerId') };
  }

  /** One that has ended, or that nobody knows, is none to end. */
  async kill(id: string): Promise<void> {
    await this.#ask('POST', `/v1/submissions/kill/${encodeURIComponent(id)}`);
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
  }

  async #ask(method: 'GET' | 'POST', path: string, body?: Buffer): Promise<Members> {
    const client = this.#clients[this.#leader]!;
    const doing = client.describe(method, path);
    try {
      const headers = { 'content-type': 'application/json;charset=UTF-8' };
      const answer = await client.send(
        { method, path, headers, ...(body === undefined ? {} : { body }) },
        this.#signal,
      );
      if (answer.status !== 200) throw refusal(doing, answer);
      const said = readObject(answer.bytes);
      if (said?.text('action')?.endsWith('Response') !== true) throw unreadable(doing);
      if (said.flag('success') === false && /standby|recovering|not.*leader/i.test(said.text('message') ?? ''))
        throw new SluiceError('SINK_UNAVAILABLE', `${doing}: this master stands by`, { retryable: true });
      return said;
    } catch (error) {
      this.#leader = (this.#leader + 1) % this.#clients.length;
      throw error;
    }
  }
}

/** Python has a way that Spark's own client does not offer: its runner as the main class. */
export function creationRequest(options: SinkOptions, batch: JobBatch): object {
  const { application, standalone, environment } = options;
  const url = applicationUrl(application);
  const python = isPython(applicationFile(application));
  const { jars, py_files: pyFiles, files } = application;
  const own = batchArguments(batch);
  return {
    action: 'CreateSubmissionRequest',
    clientSparkVersion: CLIENT_VERSION,
    appResource: url,
    mainClass: python ? PYTHON_RUNNER : application.class,
    appArgs: [...(python ? [applicationFile(application), pyFiles.join(',')] : []), ...application.arguments, ...own],
    environmentVariables: environment,
    sparkProperties: {
      ...propertiesOf(options),
      'spark.app.name': batch.id,
      'spark.master': standalone!.master,
      'spark.submit.deployMode': 'cluster',
      'spark.driver.supervise': 'false',
      ...listProperty('spark.jars', python ? jars : [url, ...jars]),
      ...listProperty('spark.files', files),
      ...listProperty('spark.submit.pyFiles', pyFiles),
    },
  };
}

function listProperty(name: string, items: readonly string[]): Record<string, string> {
  return items.length === 0 ? {} : { [name]: items.join(',') };
}
