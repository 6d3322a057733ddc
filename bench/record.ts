import { encode } from '@msgpack/msgpack';
import { GeneratedValues } from '../connectors/generate/values.ts';
import { defaultCodecLimits, JsonScanner, JsonWriter, MsgpackJson } from '../src/codec/index.ts';
import { sharedVectors, type Vectors } from '../src/codec/vectors.ts';
import { BufferPool, RecordBatchBuilder, RecordView, sealBatch, type Compression } from '../src/record/index.ts';
import { AccessLog } from './lines.ts';

/**
 * CPU seconds per million records of each step of the record path: 200-byte log lines as JSON, batches of 256 KiB, the best of five runs. What listeners do to records is
 * measured with the lines of the other benches, 300 bytes, by vectors and without them.
 */
const RUNS = 5;
const BATCHES = 400;
const VALUE_BYTES = 200;
const BUFFER_BYTES = 256 * 1024;
const partition = { topic: 'bench', partition: 0, incarnation: 'AAAAAAAA' };

const values = new GeneratedValues({ seed: 1, size: VALUE_BYTES });
const perBatch = Math.floor(BUFFER_BYTES / (VALUE_BYTES + 12));
const lines = Buffer.alloc(perBatch * VALUE_BYTES);
for (let index = 0; index < perBatch; index++) {
  values.write(index);
  values.bytes.copy(lines, index * VALUE_BYTES);
}
const builder = new RecordBatchBuilder(new BufferPool({ budgetBytes: BUFFER_BYTES }).tryAcquire()!, {
  maxRecordBytes: BUFFER_BYTES,
  now: () => 0,
});
const view = new RecordView({ decode: (bytes) => bytes });

function append(): void {
  builder.reset();
  for (let at = 0; at < lines.length; at += VALUE_BYTES) builder.appendSlice(lines, at, at + VALUE_BYTES, 1000);
}

function appendWithKey(): void {
  const key = lines.subarray(0, 16);
  builder.reset();
  for (let at = 0; at < lines.length; at += VALUE_BYTES)
    builder.append(lines.subarray(at, at + VALUE_BYTES), key, 1000);
}

function read(batch: Buffer): void {
  view.clear();
  view.addStored(partition, batch, 0);
}

function batchOf(compression: Compression): Buffer {
  append();
  return Buffer.from(sealBatch(builder, { compression }));
}

/** Seconds of all threads of the process. */
function measure(step: () => void): number {
  let best = Infinity;
  for (let run = 0; run < RUNS; run++) {
    const before = process.cpuUsage();
    for (let batch = 0; batch < BATCHES; batch++) step();
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, user + system);
  }
  return best / 1e6 / ((BATCHES * perBatch) / 1e6);
}

const rows: [step: string, seconds: number][] = [
  ['append a slice', measure(append)],
  ['append with a key', measure(appendWithKey)],
];
const target = Buffer.alloc(VALUE_BYTES);
for (const compression of ['none', 'lz4', 'zstd', 'snappy', 'gzip'] as const) {
  // A sealed batch takes the place of its records, so they are appended anew.
  rows.push([
    `append a slice and seal ${compression}`,
    measure(() => {
      append();
      sealBatch(builder, { compression });
    }),
  ]);
  const batch = batchOf(compression);
  rows.push([
    `view of ${compression}, checksum verified`,
    measure(() => {
      read(batch);
    }),
  ]);
}
const plain = batchOf('none');
read(plain);
rows.push([
  'copy each value out of a view',
  measure(() => {
    for (let index = 0; index < view.count; index++) view.copyValue(index, target, 0);
  }),
]);
const taken = new RecordView({ decode: (bytes) => bytes });
rows.push([
  'take each record over into another view',
  measure(() => {
    taken.clear();
    for (let index = 0; index < view.count; index++) taken.addFrom(view, index);
  }),
]);

const log = new AccessLog()
  .next(perBatch)
  .trimEnd()
  .split('\n')
  .map((line) => Buffer.from(line));
const entries = log.map((line) => Buffer.from(encode(JSON.parse(line.toString()))));

function convert(vectors: Vectors | null): () => void {
  const json = new MsgpackJson({ limits: defaultCodecLimits, invalidText: 'replace' }, vectors);
  const bytes = Buffer.concat(entries);
  return () => {
    json.reset();
    json.open(bytes, bytes.length);
    for (let at = 0; at < bytes.length; at = json.at) json.write(at);
  };
}

function quote(vectors: Vectors | null): () => void {
  const json = new JsonWriter('replace', vectors);
  const bytes = Buffer.concat(log);
  return () => {
    json.reset();
    for (let index = 0, at = 0; index < log.length; index++) json.text(bytes, at, (at += log[index]!.length));
  };
}

function check(vectors: Vectors | null): () => void {
  const scanner = new JsonScanner(defaultCodecLimits, vectors);
  const bytes = Buffer.concat(log);
  return () => {
    scanner.open(bytes);
    for (let index = 0, at = 0; index < log.length; index++) at = scanner.skipValue(bytes, at, at + log[index]!.length);
  };
}

for (const [name, vectors] of [
  ['by vectors', sharedVectors()],
  ['without vectors', null],
] as const) {
  rows.push([`MessagePack to JSON, ${name}`, measure(convert(vectors))]);
  rows.push([`text with quotes, ${name}`, measure(quote(vectors))]);
  rows.push([`JSON checked, ${name}`, measure(check(vectors))]);
}

console.log(`${'step'.padEnd(42)}CPU s per million   million/s`);
for (const [step, seconds] of rows)
  console.log(`${step.padEnd(42)}${seconds.toFixed(3).padStart(17)}${(1 / seconds).toFixed(1).padStart(12)}`);
