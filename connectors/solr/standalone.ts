import type { Clock } from 'sluice/api';
import { HttpEndpoints, type EndpointAnswer, type HttpClientRequest, type HttpClients } from 'sluice/toolkit';
import { pathOf, updateRequest, type Solr, type Target, type UpdateRequest } from './target.ts';

/** A core of a server without a cloud, or of several that hold the same. */
export class Standalone implements Solr {
  readonly #endpoints: HttpEndpoints;

  constructor(endpoints: readonly string[], clients: HttpClients, clock: Pick<Clock, 'monotonic'>) {
    this.#endpoints = new HttpEndpoints(clients.all(endpoints), clock);
  }

  target(name: string): Promise<Target> {
    return Promise.resolve({ name, shards: null, isCloud: false, isDirect: true });
  }

  update({ name }: Target, _shard: null, request: UpdateRequest, signal: AbortSignal): Promise<EndpointAnswer> {
    return this.#endpoints.send(updateRequest(`${pathOf(name)}/update`, request), signal);
  }

  ask(request: HttpClientRequest, signal: AbortSignal): Promise<EndpointAnswer> {
    return this.#endpoints.send(request, signal);
  }

  doubt(): void {
    // What is configured is all that is known.
  }

  close(): Promise<void> {
    return this.#endpoints.close();
  }
}
