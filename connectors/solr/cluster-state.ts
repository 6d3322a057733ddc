import { SluiceError } from 'sluice/api';

/** A part of a collection, and where its documents are written. */
export interface Shard {
  readonly name: string;
  /** Of the hashes of its documents, inclusive, signed. */
  readonly min: number;
  readonly max: number;
  /** The node and the core of its leader; null while it has none that lives. */
  readonly leader: { readonly nodeUrl: string; readonly core: string } | null;
}

export interface CollectionState {
  /** Of an alias the collection behind it. */
  readonly name: string;
  readonly isAlias: boolean;
  /** Null when the id of a document does not tell where it belongs: another router, a field that decides, an alias of several collections. */
  readonly shards: readonly Shard[] | null;
}

interface Replica {
  readonly core?: string;
  readonly node_name?: string;
  readonly base_url?: string;
  readonly state?: string;
  readonly leader?: string | boolean;
}

interface StatusAnswer {
  readonly cluster?: {
    readonly live_nodes?: readonly string[];
    readonly aliases?: Readonly<Record<string, string>>;
    readonly collections?: Readonly<
      Record<
        string,
        {
          readonly router?: { readonly name?: string; readonly field?: string };
          readonly shards?: Readonly<
            Record<
              string,
              {
                readonly range?: string | null;
                readonly state?: string;
                readonly replicas?: Readonly<Record<string, Replica>>;
              }
            >
          >;
        }
      >
    >;
  };
}

/** What CLUSTERSTATUS says of `asked`, a collection or an alias. Throws `SINK_UNAVAILABLE` when it says nothing of it. */
export function readClusterState(bytes: Buffer, asked: string, doing: string): CollectionState {
  const { cluster } = parsed(bytes, doing);
  const collections = Object.entries(cluster?.collections ?? {});
  const live = new Set(cluster?.live_nodes ?? []);
  const isAlias = cluster?.aliases?.[asked] !== undefined;
  const found = collections.find(([name]) => name === asked) ?? collections[0];
  if (found === undefined || live.size === 0)
    throw new SluiceError('SINK_UNAVAILABLE', `${doing}: the answer does not speak of ${JSON.stringify(asked)}`, {
      retryable: true,
    });
  const [name, { router, shards = {} }] = found;
  // Of several collections behind an alias Solr writes into one, by rules of its own.
  const isSingle = !isAlias || collections.length === 1;
  const isByHash = isSingle && router?.name === 'compositeId' && router.field === undefined;
  const ranges = Object.entries(shards).filter(([, { state, range }]) => state === 'active' && range != null);
  const isWhole = isByHash && ranges.length > 0;
  return {
    name,
    isAlias,
    shards: isWhole
      ? ranges.map(([shard, { range, replicas = {} }]) => ({
          name: shard,
          ...rangeOf(range!),
          leader: leaderOf(Object.values(replicas), live),
        }))
      : null,
  };
}

/** -1 when no shard takes this hash: the state is being changed. */
export function shardOf(shards: readonly Shard[], hash: number): number {
  for (let index = 0; index < shards.length; index++) {
    const { min, max } = shards[index]!;
    if (hash >= min && hash <= max) return index;
  }
  return -1;
}

/** `80000000-ffffffff`, without leading zeros. */
function rangeOf(range: string): { min: number; max: number } {
  const [min = NaN, max = NaN] = range.split('-').map((hex) => parseInt(hex, 16) | 0);
  return { min, max };
}

/** A node that died keeps the word for the whole of its absence: what counts is who lives. */
function leaderOf(replicas: readonly Replica[], live: ReadonlySet<string>): Shard['leader'] {
  const leader = replicas.find(
    ({ leader: isLeader, state, node_name: node }) =>
      String(isLeader) === 'true' && state === 'active' && node !== undefined && live.has(node),
  );
  if (leader?.base_url === undefined || leader.core === undefined) return null;
  return { nodeUrl: leader.base_url, core: leader.core };
}

function parsed(bytes: Buffer, doing: string): StatusAnswer {
  try {
    return JSON.parse(bytes.toString()) as StatusAnswer;
  } catch (error) {
    throw new SluiceError('SINK_UNAVAILABLE', `${doing}: the answer is no JSON`, { retryable: true, cause: error });
  }
}
