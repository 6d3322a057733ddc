import type { Clock } from 'sluice/api';
import { HttpEndpoints, type HttpClient, type HttpClients } from 'sluice/toolkit';
import { readObject, type Members } from '../json.ts';
import { refusal, unreadable } from '../refusal.ts';

const LOG_BYTES = 64 * 1024;

/** The web UIs of the masters, and behind them those of the workers: what the REST server does not tell. */
export class MasterUi {
  readonly #masters: HttpEndpoints;
  readonly #clients: HttpClients;
  readonly #signal: AbortSignal;
  /** The last worker that was asked. */
  #worker: HttpClient | null = null;

  constructor(
    endpoints: readonly string[],
    clients: HttpClients,
    { clock, signal }: { clock: Clock; signal: AbortSignal },
  ) {
    this.#masters = new HttpEndpoints(clients.all(endpoints), clock);
    this.#clients = clients;
    this.#signal = signal;
  }

  /** The id of an application of this name that is at work; null when there is none. A driver shows only once its application is there. */
  async activeApplication(name: string): Promise<string | null> {
    const state = await this.#state();
    return (
      state
        .list('activeapps')
        .find((one) => one.text('name') === name)
        ?.text('id') ?? null
    );
  }

  /** Is the application of this id at work? */
  async isActive(id: string): Promise<boolean> {
    return (await this.#state()).list('activeapps').some((one) => one.text('id') === id);
  }

  /** Ends an application, and with it its driver; nothing where the UI may not (`spark.ui.killEnabled`). */
  async endApplication(id: string): Promise<void> {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = Buffer.from(new URLSearchParams({ id, terminate: 'true' }).toString());
    const answer = await this.#masters.send({ method: 'POST', path: '/app/kill/', headers, body }, this.#signal);
    // It leads on to its own pages.
    if (answer.status >= 400) throw refusal(answer.doing, answer);
  }

  /** The ends of both streams of a driver, as far as its worker still has them. */
  async driverOutput(driver: string, workerId: string): Promise<{ readonly stdout: string; readonly stderr: string }> {
    const worker = (await this.#state()).list('workers').find((one) => one.text('id') === workerId);
    const address = worker?.text('webuiaddress') ?? null;
    if (address === null || !/^https?:\/\/[^/?#\s]+$/.test(address)) return { stdout: '', stderr: '' };
    const client = await this.#clientFor(address);
    return { stdout: await this.#log(client, driver, 'stdout'), stderr: await this.#log(client, driver, 'stderr') };
  }

  async close(): Promise<void> {
    await Promise.all([this.#masters.close(), this.#worker?.close()]);
  }

  async #state(): Promise<Members> {
    const answer = await this.#masters.send({ method: 'GET', path: '/json/' }, this.#signal);
    if (answer.status !== 200) throw refusal(answer.doing, answer);
    const state = readObject(answer.bytes);
    if (state !== null && state.text('status') !== null) return state;
    throw unreadable(answer.doing);
  }

  async #clientFor(address: string): Promise<HttpClient> {
    if (this.#worker?.endpoint !== address) {
      await this.#worker?.close();
      this.#worker = this.#clients.client(address);
    }
    return this.#worker;
  }

  async #log(client: HttpClient, driver: string, stream: 'stdout' | 'stderr'): Promise<string> {
    const query = { driverId: driver, logType: stream, byteLength: String(LOG_BYTES) };
    const answer = await client.send({ method: 'GET', path: '/log/', query }, this.#signal);
    if (answer.status !== 200) return '';
    // The first line says which bytes these are.
    return answer.bytes.toString().replace(/^==== Bytes .*\n/, '');
  }
}
