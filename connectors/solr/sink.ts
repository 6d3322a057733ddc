import {
  SluiceError,
  type Failure,
  type RecordBatch,
  type RecordFailure,
  type Sink,
  type SinkContext,
  type Template,
  type WriteResult,
} from 'sluice/api';
import type { EndpointAnswer } from 'sluice/toolkit';
import { shardOf } from './cluster-state.ts';
import { findFacts, type CollectionFacts, type Demands } from './collection-facts.ts';
import { compositeHash } from './composite-hash.ts';
import { sendDeletions } from './deletions.ts';
import type { Version } from './document-writer.ts';
import { idText, type Ids } from './ids.ts';
import { judgeAnswer, type Judged } from './judge-answer.ts';
import type { Solr, Target } from './target.ts';
import type { UpdateBody } from './update-body.ts';
import { failureOf, isConflict, rejected, tooLarge } from './verdicts.ts';

/** So many documents that are named one after the other are taken out of a request; with more of them halves are quicker. */
const MAX_ROUNDS = 8;

export interface SolrSinkSettings {
  /** Of the collection, or the core. */
  readonly name: Pick<Template, 'constant' | 'render'>;
  /** Records without a value delete. */
  readonly deletes: boolean;
  /** Of deletions, where Solr compares versions. */
  readonly deletions: { readonly of: Version; readonly param: string } | null;
  readonly comparesVersions: boolean;
  readonly onConflict: 'skip' | 'reject';
  readonly minReplicas: number;
  readonly maxRequestBytes: number;
  /** Of every update. */
  readonly query: Readonly<Record<string, string>>;
  readonly demands: Demands;
  /** Why dead letters cannot be replayed here; null when they can. */
  readonly replayFault: string | null;
}

interface Parts {
  readonly solr: Solr;
  readonly createIds: () => Ids;
  readonly createBody: (ids: Ids) => UpdateBody;
}

/** What of a batch goes to one address. */
interface Group {
  readonly target: Target;
  readonly facts: CollectionFacts;
  readonly shard: number | null;
  readonly body: UpdateBody;
}

/** Sends batches as updates, each shard's straight to its leader. */
export class SolrSink implements Sink {
  readonly #settings: SolrSinkSettings;
  readonly #context: SinkContext;
  readonly #parts: Parts;
  readonly #ids: Ids;
  readonly #closing = new AbortController();
  readonly #signal: AbortSignal;
  readonly #facts = new Map<string, CollectionFacts>();
  /** Bodies that are not on their way. */
  readonly #bodies: UpdateBody[] = [];
  #written = 0;
  #left = 0;

  constructor(settings: SolrSinkSettings, context: SinkContext, parts: Parts) {
    this.#settings = settings;
    this.#context = context;
    this.#parts = parts;
    this.#ids = parts.createIds();
    this.#signal = AbortSignal.any([context.signal, this.#closing.signal]);
  }

  async write(batch: RecordBatch): Promise<WriteResult> {
    const { maxRequestBytes, replayFault } = this.#settings;
    if (batch.byteLength > maxRequestBytes && batch.count > 1)
      return { batch: tooLarge(`building an update: larger than ${maxRequestBytes} bytes`) };
    if (replayFault !== null)
      return { batch: { disposition: 'block', error: new SluiceError('SINK_BLOCKED', replayFault) } };
    try {
      const failures: RecordFailure[] = [];
      const groups = await this.#groupsOf(batch, failures);
      const refused = await Promise.all(groups.map((group) => this.#deliver(batch, group)));
      for (const some of refused) failures.push(...some);
      this.#report(batch.count, failures);
      return { failures };
    } catch (error) {
      if (error instanceof SluiceError) return { batch: failureOf(error) };
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#parts.solr.close();
  }

  async #groupsOf(batch: RecordBatch, failures: RecordFailure[]): Promise<Group[]> {
    const { name } = this.#settings;
    if (name.constant !== null) {
      const place = await this.#placeOf(name.constant);
      return this.#distributed(batch, () => place, failures);
    }
    const names = this.#names(batch, failures);
    const places = new Map<string, Place>();
    for (const each of new Set(names)) if (each !== null) places.set(each, await this.#placeOf(each));
    return this.#distributed(batch, (index) => (names[index] == null ? null : places.get(names[index])!), failures);
  }

  #names(batch: RecordBatch, failures: RecordFailure[]): (string | null)[] {
    const names: (string | null)[] = [];
    for (let index = 0; index < batch.count; index++) {
      try {
        names.push(this.#settings.name.render(batch, index));
      } catch (error) {
        if (!(error instanceof SluiceError)) throw error;
        failures.push({ index, disposition: 'reject', error });
        names.push(null);
      }
    }
    return names;
  }

  async #placeOf(name: string): Promise<Place> {
    const { solr } = this.#parts;
    const target = await solr.target(name, this.#signal);
    let facts = this.#facts.get(name);
    if (facts === undefined) {
      facts = await findFacts(solr, name, this.#settings.demands, this.#signal);
      this.#facts.set(name, facts);
      const { log } = this.#context;
      if (facts.isTolerant) log.debug({ collection: name, chain: facts.chain }, 'Solr names what it refuses');
      else log.info({ collection: name }, 'No TolerantUpdateProcessor: what Solr refuses is found by sending less');
    }
    return { target, facts, groups: new Map() };
  }

  /** Each record to the body of its shard. */
  #distributed(batch: RecordBatch, placeOf: (index: number) => Place | null, failures: RecordFailure[]): Group[] {
    const ids = this.#ids;
    const groups: Group[] = [];
    ids.begin(batch);
    for (let index = 0; index < batch.count; index++) {
      const place = placeOf(index);
      if (place === null) continue;
      const { shards } = place.target;
      let shard = -1;
      if (shards !== null) {
        try {
          ids.of(batch, index);
        } catch (error) {
          if (!(error instanceof SluiceError)) throw error;
          failures.push({ index, disposition: 'reject', error });
          continue;
        }
        shard = shardOf(shards, compositeHash(ids.bytes, 0, ids.end));
        if (shard < 0) {
          this.#parts.solr.doubt(place.target.name);
          failures.push({ index, ...failureOf(noShard(place.target.name)) });
          continue;
        }
      }
      let group = place.groups.get(shard);
      if (group === undefined) {
        const body = this.#bodies.pop() ?? this.#parts.createBody(this.#parts.createIds());
        body.records.clear();
        body.deletions.clear();
        group = { target: place.target, facts: place.facts, shard: shard < 0 ? null : shard, body };
        place.groups.set(shard, group);
        groups.push(group);
      }
      group.body.records.push(index);
    }
    return groups;
  }

  /** What of a group was not taken. */
  async #deliver(batch: RecordBatch, group: Group): Promise<readonly RecordFailure[]> {
    const { body, target } = group;
    body.refused = [];
    try {
      for (let round = 1; ; round++) {
        body.fill(batch);
        if (body.records.count === 0) break;
        const judged = this.#judge(batch, group, await this.#send(group));
        if (judged === null) break;
        this.#parts.solr.doubt(target.name);
        const named = round < MAX_ROUNDS && judged.id !== null ? this.#recordOf(batch, body, judged.id) : null;
        if (named === null) {
          // Somebody will change the collection: it has to be looked at anew.
          if (judged.failure.disposition === 'block') this.#facts.delete(target.name);
          this.#refuseAll(body, judged.failure);
          break;
        }
        this.#refuse(body, named, judged.message);
        body.records.filter((index) => index !== named);
      }
      const { deletions } = this.#settings;
      if (deletions !== null && body.deletions.count > 0)
        body.refused.push(
          ...(await sendDeletions(batch, { ...group, deletions, ids: body.ids, send: this.#sender(group) })),
        );
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      this.#parts.solr.doubt(target.name);
      this.#refuseAll(body, failureOf(error));
      // The body is left to the collector: its bytes may still be on their way.
      return body.refused;
    }
    this.#bodies.push(body);
    return body.refused;
  }

  #send({ target, shard, facts, body }: Group): Promise<EndpointAnswer> {
    return this.#sender({ target, shard, facts })(body.bytes, {});
  }

  #sender({ target, shard, facts }: Pick<Group, 'target' | 'shard' | 'facts'>) {
    const { query } = this.#settings;
    const chain = facts.chain === null ? {} : { 'update.chain': facts.chain };
    const tolerance = facts.isTolerant ? { maxErrors: '-1' } : {};
    return (body: Buffer, more: Readonly<Record<string, string>>): Promise<EndpointAnswer> =>
      this.#parts.solr.update(
        target,
        shard,
        { query: { ...query, ...chain, ...tolerance, ...more }, body },
        this.#signal,
      );
  }

  /** Null when all was taken but what was added to `refused`. */
  #judge(batch: RecordBatch, { body, target }: Group, answer: EndpointAnswer): Judged | null {
    const { comparesVersions, minReplicas } = this.#settings;
    const judged = judgeAnswer(answer, {
      target,
      minReplicas,
      sent: body.records.count,
      adds: body.adds,
      // What is older is left out, and not named.
      namesAll: !comparesVersions,
    });
    if (!('errors' in judged)) return judged;
    const found = judged.errors.map(({ id, message }) => ({ record: this.#recordOf(batch, body, id), message }));
    const unclear = found.find(({ record }) => record === null);
    // Several records have this id, or none: alone each of them is told from the others.
    if (unclear !== undefined)
      return {
        failure: { disposition: 'split', error: rejected(unclear.message) },
        id: null,
        message: unclear.message,
      };
    for (const { record, message } of found) this.#refuse(body, record!, message);
    const refused = new Set(found.map(({ record }) => record));
    if (refused.size > 0) body.records.filter((index) => !refused.has(index));
    return null;
  }

  /** The only record of a body that makes the document of this id. */
  #recordOf(batch: RecordBatch, { records, ids }: UpdateBody, id: string): number | null {
    let found: number | null = null;
    ids.begin(batch);
    for (let place = 0; place < records.count; place++) {
      ids.of(batch, records.at(place));
      if (idText(ids) !== id) continue;
      if (found !== null) return null;
      found = records.at(place);
    }
    return found;
  }

  #refuse(body: UpdateBody, index: number, message: string): void {
    const isLeft = isConflict(message) && this.#settings.onConflict === 'skip';
    body.refused.push({ index, disposition: isLeft ? 'skip' : 'reject', error: rejected(message) });
  }

  #refuseAll({ records, deletions, refused }: UpdateBody, failure: Failure): void {
    for (const list of [records, deletions])
      for (let place = 0; place < list.count; place++) refused.push({ index: list.at(place), ...failure });
  }

  #report(count: number, failures: readonly RecordFailure[]): void {
    const left = failures.filter(({ disposition }) => disposition === 'skip').length;
    this.#written += count - failures.length;
    this.#left += left;
    const leftPart = this.#left === 0 ? '' : `, ${grouped(this.#left)} left out by \`only_if\``;
    this.#context.report(`${grouped(this.#written)} written${leftPart}`);
  }
}

interface Place {
  readonly target: Target;
  readonly facts: CollectionFacts;
  readonly groups: Map<number, Group>;
}

function noShard(name: string): SluiceError {
  return new SluiceError('SINK_UNAVAILABLE', `routing to ${JSON.stringify(name)}: no active shard takes the id`, {
    retryable: true,
  });
}

function grouped(number: number): string {
  return number.toLocaleString('en-US');
}
