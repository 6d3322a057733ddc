import type { Row } from './rows.ts';

/** What a path shall reach, computed from the rows of one run of the bench. */
export interface Target {
  readonly what: string;
  readonly bound: 'at most' | 'at least';
  readonly unit: string;
  /** As the table shows it: `K / 1.3`. */
  readonly limitText: string;
  readonly figure: (rows: Rows) => number;
  readonly limit: (rows: Rows) => number;
}

/** Throws `RowAbsent` for a row that is not there. */
export class Rows {
  readonly #rows: readonly Row[];

  constructor(rows: readonly Row[]) {
    this.#rows = rows;
  }

  /** A system is known by the beginning of its name, behind which its version may stand. */
  row(path: string, system = 'sluice', codec = 'lz4'): Row {
    const candidates = this.#rows.filter((row) => row.path === path && row.codec === codec);
    const row =
      candidates.find((each) => each.system === system) ??
      candidates.find((each) => each.system.startsWith(`${system} `));
    if (row === undefined) throw new RowAbsent(`no row of ${system} on ${path} (${codec})`);
    return row;
  }

  cpu(path: string, system?: string, codec?: string): number {
    return this.row(path, system, codec).cpu_seconds_per_million;
  }

  rate(path: string, system?: string, codec?: string): number {
    return this.row(path, system, codec).records_per_second;
  }

  more(name: string, path: string, system?: string, codec?: string): number {
    const value = this.row(path, system, codec).more[name];
    if (value === undefined) throw new RowAbsent(`no ${name} on ${path}`);
    return value;
  }

  /** The most that one pipeline took on any path that carries records at full speed. */
  peakRss(): number {
    const rows = this.#rows.filter(
      ({ path, system }) =>
        system.startsWith('sluice') && !NOT_ONE_PIPELINE.includes(path) && !system.endsWith('3 workers'),
    );
    if (rows.length === 0) throw new RowAbsent('no row of sluice on a path at full speed');
    return Math.max(...rows.map(({ peak_rss_mb: megabytes }) => megabytes));
  }
}

/** Not one pipeline with one sink at full speed. */
const NOT_ONE_PIPELINE = ['kafka-all', 'latency', 'idle', 'idle-connections', 'tails'];

export class RowAbsent extends Error {}

/** CPU seconds per million records of `kcat -P -z lz4` in the same run. */
const kcat = (rows: Rows): number => rows.cpu('file-kafka', 'kcat');

const cpu = { bound: 'at most', unit: 'CPU-s/M' } as const;
const megabytes = { bound: 'at most', unit: 'MB' } as const;

export const targets: readonly Target[] = [
  ...(
    [
      ['K / 1.3', (rows: Rows): number => kcat(rows) / 1.3],
      ['rsyslog / 3', (rows: Rows): number => rows.cpu('file-kafka', 'rsyslog') / 3],
      [
        'Kafka Connect, default batches / 6',
        (rows: Rows): number => rows.cpu('file-kafka', 'Kafka Connect, default batches') / 6,
      ],
      ['Kafka Connect / 6', (rows: Rows): number => rows.cpu('file-kafka', 'Kafka Connect') / 6],
      ['kafkajs / 8', (rows: Rows): number => rows.cpu('file-kafka', 'kafkajs') / 8],
    ] as const
  ).map(([limitText, limit]) => ({
    ...cpu,
    what: 'file → Kafka lz4',
    limitText,
    figure: (rows: Rows): number => rows.cpu('file-kafka'),
    limit,
  })),
  {
    what: 'file → Kafka lz4',
    bound: 'at least',
    unit: 'lines/s',
    limitText: '0.9 × kcat',
    figure: (rows) => rows.rate('file-kafka'),
    limit: (rows) => 0.9 * rows.rate('file-kafka', 'kcat'),
  },
  {
    ...cpu,
    what: 'file → Kafka uncompressed',
    limitText: 'kcat uncompressed / 2.2',
    figure: (rows) => rows.cpu('file-kafka', 'sluice', 'none'),
    limit: (rows) => rows.cpu('file-kafka', 'kcat', 'none') / 2.2,
  },
  {
    ...cpu,
    what: '1,000 files that grow, a few of them fast → Kafka lz4',
    limitText: '1.2 × one file',
    figure: (rows) => rows.cpu('thousand-files'),
    limit: (rows) => 1.2 * rows.cpu('file-kafka'),
  },
  {
    ...cpu,
    what: 'HTTP, 100 records a body → Kafka lz4',
    limitText: '1.2 K',
    figure: (rows) => rows.cpu('http-kafka'),
    limit: (rows) => 1.2 * kcat(rows),
  },
  {
    what: 'HTTP, one record a request → Kafka lz4',
    bound: 'at least',
    unit: 'requests/s',
    limitText: '0.4 × node:http',
    figure: (rows) => rows.rate('http-kafka-single'),
    limit: (rows) => 0.4 * rows.rate('http-kafka-single', 'node:http'),
  },
  ...(
    [
      ['fluentd-kafka', 'fluentd’s PackedForward → Kafka lz4', 1.2],
      ['fluentd-kafka-gzip', 'the same, compressed with gzip', 1.6],
      ['syslog-kafka', 'syslog over TCP → Kafka lz4', 1.5],
    ] as const
  ).map(([path, what, factor]) => ({
    ...cpu,
    what,
    limitText: `${factor} K`,
    figure: (rows: Rows): number => rows.cpu(path),
    limit: (rows: Rows): number => factor * kcat(rows),
  })),
  {
    ...cpu,
    what: 'syslog over TCP → Kafka lz4',
    limitText: 'rsyslog',
    figure: (rows) => rows.cpu('syslog-kafka'),
    limit: (rows) => rows.cpu('syslog-kafka', 'rsyslog'),
  },
  {
    ...cpu,
    what: 'Kafka → Elasticsearch that answers at once',
    limitText: '1.0 K',
    figure: (rows) => rows.cpu('kafka-elasticsearch'),
    limit: kcat,
  },
  {
    ...cpu,
    what: 'Kafka → Elasticsearch that answers at once',
    limitText: 'helpers.bulk / 3',
    figure: (rows) => rows.cpu('kafka-elasticsearch'),
    limit: (rows) => rows.cpu('kafka-elasticsearch', 'helpers.bulk') / 3,
  },
  {
    ...cpu,
    what: 'the same, daily index by template',
    limitText: '1.1 × fixed index',
    figure: (rows) => rows.cpu('kafka-elasticsearch-daily'),
    limit: (rows) => 1.1 * rows.cpu('kafka-elasticsearch'),
  },
  {
    what: 'Kafka → real Elasticsearch',
    bound: 'at least',
    unit: 'docs/s',
    limitText: '0.95 × bulk loader',
    figure: (rows) => rows.rate('kafka-elasticsearch-real'),
    limit: (rows) => 0.95 * rows.rate('kafka-elasticsearch-real', 'bulk loader'),
  },
  {
    ...cpu,
    what: 'Kafka → Solr that answers at once',
    limitText: '1.5 K',
    figure: (rows) => rows.cpu('kafka-solr'),
    limit: (rows) => 1.5 * kcat(rows),
  },
  ...(
    [
      ['NDJSON', 0.6],
      ['NDJSON, gzip -1', 2.5],
      ['Parquet', 6],
    ] as const
  ).map(([format, factor]) => ({
    ...cpu,
    what: `Kafka → files, ${format}`,
    limitText: `${factor} K`,
    figure: (rows: Rows): number => rows.cpu('kafka-file', `sluice, ${format}`),
    limit: (rows: Rows): number => factor * kcat(rows),
  })),
  {
    ...cpu,
    what: 'Kafka → Kafka lz4',
    limitText: '0.5 K',
    figure: (rows) => rows.cpu('kafka-kafka'),
    limit: (rows) => 0.5 * kcat(rows),
  },
  {
    ...cpu,
    what: 'Kafka → Kafka lz4',
    limitText: 'MirrorMaker 2 / 10',
    figure: (rows) => rows.cpu('kafka-kafka'),
    limit: (rows) => rows.cpu('kafka-kafka', 'MirrorMaker 2') / 10,
  },
  {
    ...cpu,
    what: 'file → Kafka lz4, exactly once',
    limitText: '1.3 × at least once',
    figure: (rows) => rows.cpu('exactly-once'),
    limit: (rows) => 1.3 * rows.cpu('exactly-once', 'sluice, at least once'),
  },
  {
    ...cpu,
    what: 'file → embedded → file',
    limitText: '1.0 K',
    figure: (rows) => rows.cpu('file-file', 'sluice', 'none'),
    limit: kcat,
  },
  {
    ...cpu,
    what: '`where` on one JSON field, on top',
    limitText: '1.5 K',
    figure: (rows) => rows.cpu('where', 'sluice, where') - rows.cpu('where'),
    limit: (rows) => 1.5 * kcat(rows),
  },
  {
    ...megabytes,
    what: 'peak RSS, one pipeline at full speed',
    limitText: '250',
    figure: (rows) => rows.peakRss(),
    limit: () => 250,
  },
  {
    ...megabytes,
    what: 'peak RSS, a sink of each kind in one worker',
    limitText: '300',
    figure: (rows) => rows.row('kafka-all').peak_rss_mb,
    limit: () => 300,
  },
  {
    ...megabytes,
    what: 'its growth within ten minutes (second half over first)',
    limitText: '25',
    figure: (rows) => rows.more('growth_mb', 'memory', 'sluice, 1 worker'),
    limit: () => 25,
  },
  {
    ...megabytes,
    what: 'peak RSS of each further worker',
    limitText: '80',
    figure: (rows) =>
      (rows.row('memory', 'sluice, 3 workers').peak_rss_mb - rows.row('memory', 'sluice, 1 worker').peak_rss_mb) / 2,
    limit: () => 80,
  },
  ...['fluentd', 'syslog'].map((source): Target => ({
    ...megabytes,
    what: `2,000 connections that say nothing, ${source}`,
    limitText: '100',
    figure: (rows) => rows.more('connections_mb', 'idle-connections', `sluice, ${source}`, 'none'),
    limit: () => 100,
  })),
  ...['embedded log', 'log in Kafka'].map((log): Target => ({
    what: `p99 from append to write at 10,000 records/s, ${log}`,
    bound: 'at most',
    unit: 'ms',
    limitText: '20',
    figure: (rows) => rows.more('latency_p99_ms', 'latency', `sluice, ${log}`, 'none'),
    limit: () => 20,
  })),
];
