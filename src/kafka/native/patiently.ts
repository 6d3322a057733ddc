import { abortable } from '../common/abortable.ts';
import type { Cluster } from './cluster.ts';
import { kafkaError } from './errors.ts';
import type { Waiting } from '../common/waiting.ts';

/** As the cluster's `retrying`, and what is waited for is said of one reader too. */
export async function patiently<R>(
  { cluster, waiting, signal }: { readonly cluster: Cluster; readonly waiting: Waiting; readonly signal: AbortSignal },
  what: string,
  attempt: () => Promise<R>,
): Promise<R> {
  const wait = waiting.begin();
  try {
    return await cluster.retrying(
      what,
      async () => {
        try {
          return await abortable(attempt(), signal);
        } catch (cause) {
          const error = kafkaError(cause, what);
          if (error.retryable) wait.because(error.message);
          throw error;
        }
      },
      signal,
    );
  } finally {
    wait.end();
  }
}
