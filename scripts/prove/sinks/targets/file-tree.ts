import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { createInterface } from 'node:readline';
import { publishedFiles } from '../../../../src/testing/index.ts';
import type { Hit } from '../../kafka/elastic.ts';
import { dayOf } from '../numbered-records.ts';
import type { Target } from '../target.ts';

/** A folder for each day of the events. Files have no server: what is restarted is the broker of the topic. */
export function fileTree(hubFolder: string, restart: (() => Promise<void>) | null): Target {
  const folder = join(hubFolder, 'tree');
  let misplaced = 0;
  async function* hits(): AsyncGenerator<Hit> {
    misplaced = 0;
    for (const file of await publishedFiles(folder)) {
      const [day] = relative(folder, file).split(sep);
      for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
        const source = JSON.parse(line) as { readonly n: number; readonly check: number };
        if (day !== `day=${dayOf(source.n)}`) misplaced++;
        yield { id: '', source };
      }
    }
  }
  return {
    sink: `  - file:
      path: "tree/day={{ formatTime(timestamp(value.at), 'yyyy-MM-dd') }}"
      format: ndjson
      roll: { size: 1MiB, age: 1s, idle: 200ms }
`,
    async count() {
      let lines = 0;
      for (const file of await publishedFiles(folder).catch(() => []))
        for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) lines += lineFeedsIn(chunk);
      return lines;
    },
    async sum() {
      let sum = 0;
      for await (const { source } of hits()) sum += source.check as number;
      return sum;
    },
    hasIds: false,
    hits,
    async problems() {
      const days = (await readdir(folder)).filter((name) => name.startsWith('day='));
      return [
        ...(misplaced > 0 ? [`${misplaced} records in a folder of another day`] : []),
        ...(days.length < 2 ? [`only ${days.length} folders`] : []),
      ];
    },
    restart,
    end: () => Promise.resolve(),
  };
}

function lineFeedsIn(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1)) count++;
  return count;
}
