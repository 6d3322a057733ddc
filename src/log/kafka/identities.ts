/** Whose names and keys they are. */
export interface Owner {
  readonly group: string;
  readonly pipeline: string;
  readonly hubId: string;
}

export interface SourceIdentity {
  readonly name: string;
  readonly placement: 'host' | 'every' | 'once' | 'group';
}

export function sinkGroup({ group, pipeline }: Owner, sink: string): string {
  return `sluice.${group}.${pipeline}.sink.${sink}`;
}

/** What fences a source that was started elsewhere: of its name, where every hub has one of its own also of the hub. */
export function transactionalId({ group, pipeline, hubId }: Owner, { name, placement }: SourceIdentity): string {
  const id = `sluice.${group}.${pipeline}.source.${name}`;
  return placement === 'once' ? id : `${id}.${hubId}`;
}

/** Of a source whose partitions come from a group on another cluster: whoever gets a partition takes it over. */
export function partitionTransactionalId(
  { group, pipeline }: Owner,
  { name }: SourceIdentity,
  partition: string,
): string {
  return `sluice.${group}.${pipeline}.source.${name}.${partition}`;
}

/** What the keys of a source's positions begin with, on all hubs: it decides on the partition. */
export function sourcePrefix({ group, pipeline }: Owner, source: string): string {
  return `${group}/${pipeline}/source/${source}/`;
}

/** What the keys of the positions begin with that are this hub's. Only positions on the hub's own host are told apart by it. */
export function ownSourcePrefix(owner: Owner, { name, placement }: SourceIdentity): string {
  const prefix = sourcePrefix(owner, name);
  return placement === 'host' ? `${prefix}${owner.hubId}/` : prefix;
}

/** What the keys of a sink's state records begin with; the topic and the partition's number follow. */
export function sinkPrefix({ group, pipeline }: Owner, sink: string): string {
  return `${group}/${pipeline}/sink/${sink}/`;
}
