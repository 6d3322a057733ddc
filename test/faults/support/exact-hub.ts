import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Ledger, type LedgerCount } from '../../../src/testing/index.ts';
import type { HubFolder, HubProcess } from '../../cli/support/hub-folder.ts';
import { kafkaTool } from '../../support/servers.ts';

const LINES_AT_ONCE = 200;

/** Numbered lines that grow in files, number n in file n modulo their count, so that the order in each can be judged. */
export class GrowingFiles {
  readonly #folder: string;
  readonly #files: number;
  written = 0;

  constructor(folder: string, files: number) {
    this.#folder = folder;
    this.#files = files;
  }

  async grow(): Promise<void> {
    for (let file = 0; file < this.#files; file++) {
      const lines = Array.from({ length: LINES_AT_ONCE }, (_, index) => {
        const n = this.written + index * this.#files + file;
        return `{"n":${n},"text":"${'x'.repeat(n % 200)}"}\n`;
      });
      await appendFile(join(this.#folder, `in-${file}.log`), lines.join(''));
    }
    this.written += LINES_AT_ONCE * this.#files;
  }

  /** Under load until the hub is dead. */
  async growUntilEnd(hub: HubProcess): Promise<void> {
    const over = new AbortController();
    void hub.exit().then(() => {
      over.abort();
    });
    while (!over.signal.aborted) {
      await this.grow();
      await sleep(20);
    }
  }

  judge(values: readonly string[]): LedgerCount {
    const ledger = new Ledger({ expected: this.written, streamOf: (n) => n % this.#files });
    for (const value of values) ledger.add(Buffer.from(value));
    return ledger.count();
  }
}

/** What Kafka's own consumer gets with read_committed, in the order of each partition. */
export async function consumeCommitted(brokers: string, topic: string): Promise<string[]> {
  const { stdout } = await kafkaTool('org.apache.kafka.tools.consumer.ConsoleConsumer', [
    '--bootstrap-server',
    brokers,
    '--topic',
    topic,
    '--from-beginning',
    '--isolation-level',
    'read_committed',
    '--timeout-ms',
    '4000',
  ]);
  // It says on the same stream that nothing came for so long.
  return stdout.split('\n').filter((line) => line !== '' && !line.startsWith('['));
}

/** `source` is the YAML of its entry; `more` options of `kafka`, behind a comma. */
export function exactFolder(
  create: (pipelines: Readonly<Record<string, string>>, hub: string) => Promise<HubFolder>,
  options: { brokers: string; name: string; source: string; partitions?: number; more?: string; hub?: string },
): Promise<HubFolder> {
  const { brokers, name, source, partitions = 3, more = '', hub = '' } = options;
  const client = 'client: { session_timeout: 6s, request_timeout: 5s, connect_timeout: 2s }';
  return create(
    {
      'p.yaml': `name: ${name}
delivery: exactly_once
sources:
  - ${source}
topic: { name: ${name}, partitions: ${partitions} }
sinks: []
`,
    },
    `kafka: { brokers: ['${brokers}'], ${client}${more} }\ngroup: ${name}\n${hub}\n`,
  );
}
