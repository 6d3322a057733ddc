import { SluiceError } from 'sluice/api';
import type { EndpointAnswer, HttpClientRequest } from 'sluice/toolkit';
import type { Shard } from './cluster-state.ts';

/** Where documents of one collection, or one core, go. */
export interface Target {
  /** For messages. */
  readonly name: string;
  /** Each request holds documents of one of them; null: nobody can tell which takes an id. */
  readonly shards: readonly Shard[] | null;
  /** `rf` is part of answers. */
  readonly isCloud: boolean;
  /** Requests go to who takes the documents; else a node may pass them on, and only `rf` tells what became of them. */
  readonly isDirect: boolean;
}

/** A server, or a cloud of them. */
export interface Solr {
  /** Throws `SINK_UNAVAILABLE`, or `SINK_BLOCKED` when there is no such collection. */
  target(name: string, signal: AbortSignal): Promise<Target>;
  /** One update. `shard`: of `target.shards`; null where there are none. */
  update(target: Target, shard: number | null, request: UpdateRequest, signal: AbortSignal): Promise<EndpointAnswer>;
  /** Something that needs no certain node. */
  ask(request: HttpClientRequest, signal: AbortSignal): Promise<EndpointAnswer>;
  /** What is known of the target may be wrong: the next `target` asks anew. */
  doubt(name: string): void;
  close(): Promise<void>;
}

export interface UpdateRequest {
  readonly query: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export function updateRequest(path: string, { query, body }: UpdateRequest): HttpClientRequest {
  return { method: 'POST', path, query, body, headers: { 'content-type': 'application/json' } };
}

/** For paths: names hold no slash, and what else might mean something is escaped. */
export function pathOf(name: string): string {
  return `/${encodeURIComponent(name)}`;
}

export function withoutLeader({ name }: Target, shard: Shard): SluiceError {
  const what = `${shard.name} of ${JSON.stringify(name)} has no leader that lives`;
  return new SluiceError('SINK_UNAVAILABLE', `updating a shard: ${what}`, { retryable: true });
}
