import type { Servers } from '../../kafka/servers.ts';
import type { Proof, Result } from '../../proof.ts';
import { proveRanges } from './prove-ranges.ts';
import { livy } from './targets.ts';

/** Through Livy, the hub killed before it knows its answer. */
export async function proveLivy(proof: Proof, servers: Servers): Promise<Result> {
  const { url } = await servers.shared('livy');
  return proveRanges({ name: 'sinks-spark-livy', target: livy(url), points: ['job-create-sent'] })(proof, servers);
}
