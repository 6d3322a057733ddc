import type { Peers } from '../system.ts';
import { bulkLoader } from './bulk-loader.ts';
import { fluentBit } from './fluent-bit.ts';
import { fluentd } from './fluentd.ts';
import { flumeFile, flumeMemory } from './flume.ts';
import { helpersBulk } from './helpers-bulk.ts';
import { kafkaConnect, kafkaConnectDefaults } from './kafka-connect.ts';
import { kcat } from './kcat.ts';
import { mirrorMaker } from './mirror-maker.ts';
import { kafkajs, platformatic } from './node-producers.ts';
import { nodeHttp } from './node-http.ts';
import { rsyslog, rsyslogListening } from './rsyslog.ts';

export const peers: Peers = {
  'file-kafka': [
    kcat,
    fluentBit,
    rsyslog,
    platformatic,
    kafkaConnect,
    kafkaConnectDefaults,
    kafkajs,
    flumeMemory,
    flumeFile,
    fluentd,
  ],
  'http-kafka': [nodeHttp],
  'syslog-kafka': [rsyslogListening],
  'kafka-elasticsearch': [helpersBulk],
  'kafka-elasticsearch-real': [helpersBulk, bulkLoader],
  'kafka-kafka': [mirrorMaker],
  'file-file': [],
};
