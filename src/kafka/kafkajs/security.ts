import { readFile } from 'node:fs/promises';
import type { ConnectionOptions } from 'node:tls';
import type { KafkajsSasl } from 'kafkajs/src/network/connection.js';
export interface Security { credentials(): Promise<{tls: ConnectionOptions|null; sasl: KafkajsSasl|null}> }
