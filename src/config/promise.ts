import { dirname } from 'node:path';
import type { ConnectorDefinition, SinkDefinition, SourceDefinition } from '../api/index.ts';
import { readsValue, templateReadsValue } from '../expression/index.ts';
import {
  COMMIT_AFTER_BYTES,
  COMMIT_AFTER_MS,
  jobIntents,
  ownSourcePrefix,
  sinkGroup,
  transactionalId,
  type Owner,
} from '../log/index.ts';
import { previewOptions } from './convert.ts';
import { kafkaPreview } from './hub-kafka.ts';
import { legBufferBytes } from './leg-buffers.ts';
import type { HubPlan, LegPlan, PipelinePlan, SinkPlan, SourcePlan } from './plan.ts';
import { hasReference } from './references.ts';
import { plainSchema, visitScalars } from './schema.ts';
import { formatDuration, formatSize } from './units.ts';

const MIB = 1024 * 1024;
/** Of a source into Kafka: what was acknowledged since its positions were saved (`src/log/kafka/source-checkpoints.ts`). */
const [UNSAVED_MS, UNSAVED] = [100, '16MiB'];

/** What is promised of a leg, and by what it is known, for `plan`. */
export interface LegPromise {
  readonly promise: SinkDefinition['promise'];
  /** How it is kept, where that shows: when records become visible. Null: there is nothing to know. */
  readonly window: string | null;
  /** Where the promise ends, one line each. */
  readonly holes: readonly string[];
  /** What looks into records, so that each is parsed once: `where`, `key`, options. Empty: batches pass through. */
  readonly parsedFor: readonly string[];
  /** What the saved state goes by: the consumer group of a sink, the prefix of the checkpoints of a source. Another name starts anew. */
  readonly identity: string;
  /** The transactional id by which a hub that was replaced is kept from saving; null where nothing does. */
  readonly fencedBy: string | null;
}

/** `definition` is that of the leg's connector. `hub` has the pipeline among its own. */
export function legPromise(
  definition: ConnectorDefinition,
  leg: SourcePlan | SinkPlan,
  { pipeline, hub }: { pipeline: PipelinePlan; hub: HubPlan },
): LegPromise {
  const parsedFor = whatParses(definition, leg);
  const owner = { group: hub.group, pipeline: pipeline.name, hubId: hub.host ?? '<hub id>' };
  if (definition.kind === 'source') {
    if (hub.kafka === null) {
      const identity = `${hub.group}/${pipeline.name}/source/${leg.name}`;
      return { ...embeddedSource(definition), window: null, parsedFor, identity, fencedBy: null };
    }
    const isExact = 'delivery' in leg && leg.delivery === 'exactly_once';
    const source = isExact ? exactSource : kafkaSource;
    return { ...source(definition, leg.name, { pipeline, hub, owner }), parsedFor };
  }
  const options = previewOptions(definition, leg.options, dirname(pipeline.file));
  const own = definition.holes?.(options as never) ?? [];
  const { promise } = definition;
  if (definition.takes === 'ranges') return { ...jobPromise(leg.name, { hub, owner }), promise, holes: own, parsedFor };
  const holes = hub.kafka !== null && promise === 'exactly-once' ? [...own, LOCAL_DISKS] : own;
  return { promise, window: null, holes, parsedFor, identity: sinkGroup(owner, leg.name), fencedBy: null };
}

/** What is saved of its batches goes by the name of a source that runs on one hub. */
function jobPromise(
  name: string,
  { hub, owner }: { hub: HubPlan; owner: Owner },
): Pick<LegPromise, 'window' | 'identity' | 'fencedBy'> {
  const canFence = hub.kafka !== null && kafkaPreview({ file: hub.file, kafka: hub.kafka }).driver === 'native';
  const fencedBy = canFence ? transactionalId(owner, { name: jobIntents(name), placement: 'once' }) : null;
  return { window: null, identity: sinkGroup(owner, name), fencedBy };
}

type SourceTraits = Pick<SourceDefinition, 'rewinds' | 'dedupe' | 'placement'>;

/** The embedded log saves records and positions in one commit, whatever `delivery` asks for. */
function embeddedSource(definition: SourceTraits): Pick<LegPromise, 'promise' | 'holes'> {
  if (definition.rewinds) return { promise: 'exactly-once', holes: [] };
  return { promise: 'at-least-once', holes: [repeats(definition, 'within')] };
}

function repeats({ dedupe }: SourceTraits, when: string): string {
  return dedupe === undefined
    ? 'what was read and is not durable yet is lost when the hub is killed: its input cannot be read again'
    : `input that is sent again is taken again, unless it has an id that was seen ${when} ${formatDuration(dedupe.windowMs)}`;
}

const LOCAL_DISKS =
  'hubs of one group hold it in a folder that they share; with one on each hub, a takeover may write records again';

/** Positions follow records: what lies between is written again. */
function kafkaSource(
  definition: SourceTraits,
  name: string,
  { pipeline, hub, owner }: { pipeline: PipelinePlan; hub: HubPlan; owner: Owner },
): Omit<LegPromise, 'parsedFor'> {
  const { rewinds, placement } = definition;
  const inFlight = formatSize(Math.floor(legBufferBytes(hub, pipeline) / MIB) * MIB);
  const hole = rewinds
    ? `after SIGKILL the last ${UNSAVED_MS} ms (${UNSAVED} at the most) and what was in flight (${inFlight} at the most) may be written twice`
    : repeats(definition, 'by the same process within');
  const isFenced = placement === 'host' || placement === 'once';
  const canFence = kafkaPreview({ file: hub.file, kafka: hub.kafka ?? {} }).driver === 'native';
  const zombie = 'nothing fences a hub that was replaced: the driver `kafkajs` has no transactions';
  return {
    promise: 'at-least-once',
    window: null,
    holes: isFenced && !canFence ? [hole, zombie] : [hole],
    identity: ownSourcePrefix(owner, { name, placement }).replace(/\/$/, ''),
    fencedBy: isFenced && canFence ? transactionalId(owner, { name, placement }) : null,
  };
}

/** Records, positions and dead letters are one transaction. */
function exactSource(
  { placement }: SourceTraits,
  name: string,
  { hub, owner }: { hub: HubPlan; owner: Owner },
): Omit<LegPromise, 'parsedFor'> {
  const { client } = kafkaPreview({ file: hub.file, kafka: hub.kafka ?? {} });
  const timeout = formatDuration(client.transaction_timeout);
  return {
    promise: 'exactly-once',
    window: `transactions of ${COMMIT_AFTER_MS} ms or ${formatSize(COMMIT_AFTER_BYTES)}, one more in line; brokers abort one after ${timeout}`,
    holes: ['a reader that is not read_committed sees records of aborted transactions too'],
    identity: ownSourcePrefix(owner, { name, placement }).replace(/\/$/, ''),
    fencedBy: transactionalId(owner, { name, placement }),
  };
}

function whatParses(definition: ConnectorDefinition, leg: LegPlan & Partial<SourcePlan & SinkPlan>): string[] {
  const found: string[] = [];
  const { key, where } = leg;
  if (typeof key === 'string' && readsValue(key)) found.push('key');
  if (typeof where === 'string' && readsValue(where)) found.push('where');
  visitScalars(plainSchema(definition.options), leg.options, ({ format }, text, path) => {
    if (typeof text !== 'string' || hasReference(text)) return;
    const reads = (format === 'template' && templateReadsValue(text)) || (format === 'expression' && readsValue(text));
    if (reads) found.push(String(path[0]));
  });
  return [...new Set(found)];
}
