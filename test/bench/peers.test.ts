import { fluentBitSettings } from '../../bench/peers/fluent-bit.ts';
import { fluentdSettings } from '../../bench/peers/fluentd.ts';
import { flumeSettings } from '../../bench/peers/flume.ts';
import { peers } from '../../bench/peers/index.ts';
import { propertiesText } from '../../bench/peers/java.ts';
import { aliasOf } from '../../bench/peers/mirror-maker.ts';
import { rsyslogSettings } from '../../bench/peers/rsyslog.ts';
import type { FileToKafka } from '../../bench/system.ts';
import { targets, RowAbsent, Rows } from '../../bench/targets.ts';

const task: FileToKafka = {
  folder: '/run',
  brokers: '127.0.0.1:9092',
  topic: 'lines',
  codec: 'none',
  records: 10,
  input: '/run/in/access.log',
};

describe('what peers are given', () => {
  it.each([
    ['rsyslog', rsyslogSettings(task)],
    ['Flume', flumeSettings(task, 'file')],
    ['Fluent Bit', fluentBitSettings(task)],
    ['fluentd', fluentdSettings(task)],
  ])('%s reads the file into the topic, by the codec and acknowledged by all', (_name, settings) => {
    for (const word of [task.input, task.brokers, task.topic]) expect(settings).toContain(word);
    expect(settings).toMatch(/compression\.(type|codec)[= ]none|compression_codec none/);
    expect(settings).toMatch(/acks[= ](all|-1)/);
    expect(settings).not.toContain('undefined');
  });

  it('keeps a channel of Flume in memory or in the folder of the run', () => {
    expect(flumeSettings(task, 'memory')).not.toContain('checkpointDir');
    expect(flumeSettings(task, 'file')).toContain('checkpointDir=/run/state/checkpoint\n');
  });

  it('writes settings as Java reads them', () => {
    expect(propertiesText({ a: 1, path: 'c:\\x', on: true })).toBe('a=1\npath=c:\\\\x\non=true\n');
  });

  it('names a copy so that MirrorMaker writes to it', () => {
    expect(aliasOf('copy-1.from-2', 'from-2')).toBe('copy-1');
    expect(() => aliasOf('copy', 'from')).toThrow('cannot name the copy');
  });
});

describe('the peers of the targets', () => {
  it('are all there, by the names that targets look for', () => {
    const rows = new Rows(
      Object.entries(peers).flatMap(([path, systems]) =>
        [path, `${path}-single`].flatMap((each) =>
          (systems as readonly { readonly name: string }[]).map(({ name: system }) => ({
            path: each,
            system,
            codec: 'lz4',
            records_per_second: 1,
            cpu_seconds_per_million: 1,
            startup_cpu_seconds: 1,
            peak_rss_mb: 1,
            runs: 1,
            cpu_spread: [1, 1] as const,
            more: {},
          })),
        ),
      ),
    );
    const absent = targets
      .filter(({ limitText }) =>
        /rsyslog|Connect|kafkajs|node:http|helpers|loader|MirrorMaker|0.9 × kcat/.test(limitText),
      )
      .filter(({ limit }) => {
        try {
          limit(rows);
          return false;
        } catch (error) {
          return error instanceof RowAbsent;
        }
      });
    expect(absent).toEqual([]);
  });
});
