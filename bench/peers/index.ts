import type { Peers } from '../system.ts';
import { kcat } from './kcat.ts';

export const peers: Peers = {
  'file-kafka': [kcat],
  'http-kafka': [],
  'kafka-elasticsearch': [],
  'kafka-kafka': [],
  'file-file': [],
};
