import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { kafkaClasspath, runKafkaJava } from '../../test/support/kafka-tools.ts';

/** What Kafka's own dump-log tool said of the segments of a data folder. */
export interface Verdict {
  readonly segments: number;
  readonly batches: number;
  readonly records: number;
  readonly invalid: number;
  /** As the tool names them: NONE, GZIP … */
  readonly codecs: ReadonlySet<string>;
}

const filesAtOnce = 100;

/** Of one topic, or of all. Null where there is no Java or Maven: nothing was judged. */
export async function judgeSegments(dataDir: string, topic: string | null = null): Promise<Verdict | null> {
  const classpath = await kafkaClasspath();
  if (classpath === null) return null;
  const names = await readdir(dataDir, { recursive: true });
  const segments = names
    .filter((name) => /(^|\/)\d{20}\.log$/.test(name) && (topic === null || isOf(topic, name)))
    .map((name) => join(dataDir, name));
  const codecs = new Set<string>();
  let batches = 0;
  let records = 0;
  let invalid = 0;
  for (let at = 0; at < segments.length; at += filesAtOnce) {
    const files = segments.slice(at, at + filesAtOnce).join(',');
    const { stdout } = await runKafkaJava(classpath, 'org.apache.kafka.tools.DumpLogSegments', ['--files', files]);
    for (const match of stdout.matchAll(/ count: (\d+) .*? compresscodec: (\w+) .*?isvalid: (true|false)/g)) {
      batches++;
      records += Number(match[1]);
      codecs.add(match[2]!.toUpperCase());
      if (match[3] === 'false') invalid++;
    }
    invalid += (stdout.match(/(Found \d+ invalid bytes|Mismatches in)/g) ?? []).length;
  }
  return { segments: segments.length, batches, records, invalid, codecs };
}

/** A broker keeps partition 3 of `orders` in the folder `orders-3`. */
function isOf(topic: string, name: string): boolean {
  return name.startsWith(`${topic}-`) && /^\d+\//.test(name.slice(topic.length + 1));
}

/** The verdict in words. `records`: how many the topics must hold; null when that is not known. */
export function verdictOf(
  verdict: Verdict | null,
  records: number | null,
): { readonly note: string; readonly problems: readonly string[]; readonly unjudged: readonly string[] } {
  if (verdict === null) {
    const unjudged = ["Kafka's dump-log tool needs Java and Maven, which are not here: the segments were not judged"];
    return { note: 'segments NOT JUDGED', problems: [], unjudged };
  }
  const { segments, batches, invalid } = verdict;
  const problems = [
    ...(batches === 0 ? ['dump-log sees no batch'] : []),
    ...(invalid > 0 ? [`dump-log refuses ${invalid} of ${batches} batches`] : []),
    ...(records !== null && verdict.records !== records
      ? [`dump-log counts ${verdict.records} records, not ${records}`]
      : []),
  ];
  return {
    note: `dump-log accepts ${batches - invalid} of ${batches} batches in ${segments} segments`,
    problems,
    unjudged: [],
  };
}
