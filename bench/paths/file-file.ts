import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { publishedFiles } from '../../src/testing/index.ts';
import { appearingFile } from '../appearing-file.ts';
import { contestants, type Place } from '../contestants.ts';
import { sluice } from '../hub.ts';
import type { Path } from '../path.ts';
import { peers } from '../peers/index.ts';
import type { Stage } from '../stage.ts';
import type { FileToFile } from '../system.ts';

const pipeline = ({ input, output }: FileToFile): string => `sources:
  - file: { include: ['${input}'] }
    partition_by: batch
topic: { name: bench, partitions: 4 }
sinks:
  - file: { path: '${output}', roll: { idle: 50ms } }
`;

/** A file through the embedded log into files. */
export const fileFile: Path = {
  name: 'file-file',
  contestants: contestants({
    codecs: ['none'],
    systems: [sluice({ onKafka: false, pipeline }), ...peers['file-file']],
    stage,
  }),
};

async function stage(place: Place): Promise<Stage<FileToFile>> {
  const { bench, folder, records } = place;
  const { file: input, appear } = await appearingFile(place);
  const { bytes } = await bench.lines(records);
  const output = join(folder, 'out');
  await mkdir(output);
  return {
    task: { folder, input, output, records },
    feed: appear,
    async arrived() {
      const written = await bytesBelow(output);
      if (written > bytes) throw new Error(`${written} bytes arrived instead of ${bytes}`);
      return bytes === 0 ? 0 : Math.floor((written / bytes) * records);
    },
    expected: records,
    records,
    close: () => Promise.resolve(),
  };
}

async function bytesBelow(folder: string): Promise<number> {
  let bytes = 0;
  for (const file of await publishedFiles(folder)) bytes += (await stat(file)).size;
  return bytes;
}
