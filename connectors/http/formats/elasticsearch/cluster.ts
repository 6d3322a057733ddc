import type { FormatRequest } from '../format.ts';

/** A fixed id, so that every hub, started again or not, is the same cluster. */
const CLUSTER_UUID = 'c2x1aWNlLXNsdWljZS0wMD';
const NAME = 'sluice';
const ACKNOWLEDGED = { acknowledged: true };
const SHARDS = { _shards: { total: 1, successful: 1, failed: 0 } };
const LICENSE = {
  status: 'active',
  uid: '00000000-0000-0000-0000-000000000000',
  type: 'basic',
  issue_date: '2020-01-01T00:00:00.000Z',
  issue_date_in_millis: 1_577_836_800_000,
  max_nodes: 1000,
  max_resource_units: null,
  issued_to: NAME,
  issuer: 'elasticsearch',
  start_date_in_millis: -1,
};
/** What senders set up before their first document. */
const SETTINGS: ReadonlySet<string> = new Set([
  '_template',
  '_index_template',
  '_component_template',
  '_ilm',
  '_ingest',
  '_data_stream',
  '_alias',
  '_security',
]);

/**
 * What is asked beside documents: the answers with which Beats, Logstash, Fluent Bit, Vector, rsyslog and Elasticsearch's clients go on. `names` are those of the path.
 * `version`: senders refuse a server that is older than they are. Null when there is nothing to answer; a text is sent as one.
 */
export function answerAbout(request: FormatRequest, names: readonly string[], version: string): object | string | null {
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  const [first = '', second = ''] = names;
  if (SETTINGS.has(first)) {
    // Whatever they want to set up is there already, so that they set up nothing.
    return isRead ? { [names.at(-1)!]: {} } : ACKNOWLEDGED;
  }
  if (first === '_refresh' || first === '_flush') return SHARDS;
  if (first === '_cluster' && !isRead) return ACKNOWLEDGED;
  if (first !== '' && !first.startsWith('_')) return aboutIndex(isRead, names);
  if (!isRead) return null;
  switch (first) {
    case '':
      return aboutServer(version);
    case '_license':
      return { license: LICENSE };
    case '_xpack':
      return second === '' ? aboutFeatures() : { license: LICENSE };
    case '_cluster':
      return second === 'health'
        ? HEALTH
        : { cluster_name: NAME, cluster_uuid: CLUSTER_UUID, persistent: {}, transient: {} };
    case '_nodes':
      return aboutNodes(request.headers.host ?? '', version);
    case '_cat':
      return second === 'health' ? `${NAME} green 1 1 0 0 0 0 0 0 - 100.0%\n` : '';
    default:
      return null;
  }
}

function aboutServer(version: string): object {
  return {
    name: NAME,
    cluster_name: NAME,
    cluster_uuid: CLUSTER_UUID,
    version: {
      number: version,
      build_flavor: 'default',
      build_type: 'tar',
      build_hash: '0000000000000000000000000000000000000000',
      build_date: '2020-01-01T00:00:00.000000000Z',
      build_snapshot: false,
      lucene_version: '9.12.0',
      minimum_wire_compatibility_version: '7.17.0',
      minimum_index_compatibility_version: '7.0.0',
    },
    tagline: 'You Know, for Search',
  };
}

function aboutFeatures(): object {
  const feature = { available: true, enabled: true };
  return {
    build: { hash: '0000000000000000000000000000000000000000', date: '2020-01-01T00:00:00.000000000Z' },
    license: { uid: LICENSE.uid, type: LICENSE.type, mode: LICENSE.type, status: LICENSE.status },
    features: { ilm: feature, data_streams: feature, security: { available: true, enabled: false } },
    tagline: 'You know, for X',
  };
}

const HEALTH = {
  cluster_name: NAME,
  status: 'green',
  timed_out: false,
  number_of_nodes: 1,
  number_of_data_nodes: 1,
  active_primary_shards: 0,
  active_shards: 0,
  relocating_shards: 0,
  initializing_shards: 0,
  unassigned_shards: 0,
  delayed_unassigned_shards: 0,
  number_of_pending_tasks: 0,
  number_of_in_flight_fetch: 0,
  task_max_waiting_in_queue_millis: 0,
  active_shards_percent_as_number: 100,
};

/** One node, at the address that the client knows: those who look for others find it. */
function aboutNodes(address: string, version: string): object {
  const node = {
    name: NAME,
    version,
    roles: ['data', 'ingest'],
    ingest: { processors: [] },
    http: { publish_address: address },
  };
  return { _nodes: { total: 1, successful: 1, failed: 0 }, cluster_name: NAME, nodes: { [NAME]: node } };
}

function aboutIndex(isRead: boolean, [index = '', endpoint]: readonly string[]): object | null {
  switch (endpoint) {
    case undefined:
      return isRead
        ? { [index]: { aliases: {}, mappings: {}, settings: {} } }
        : { ...ACKNOWLEDGED, shards_acknowledged: true, index };
    case '_refresh':
    case '_flush':
      return SHARDS;
    case '_alias':
    case '_mapping':
    case '_settings':
      return isRead ? { [index]: {} } : ACKNOWLEDGED;
    default:
      return null;
  }
}
