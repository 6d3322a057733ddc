import { SluiceError, type Clock, type Logger } from '../api/index.ts';
import type { KafkaClient } from './client.ts';
import { LazyClient } from './lazy-client.ts';
import type { KafkaSettings } from './options.ts';
import { kafkaProblems } from './settings-problems.ts';

export interface KafkaDependencies {
  readonly clock: Clock;
  readonly log: Logger;
  /** Told what calls wait for, once that has lasted a second, and null when they go on. */
  readonly onWait?: (reason: string | null) => void;
}

/**
 * A client of a Kafka cluster. Nothing is connected, and no driver loaded, before the first call. Throws `OPTION_INVALID` for settings that contradict each
 * other, also where a password or token would go over the network in plain text.
 */
export function openKafka(settings: KafkaSettings, dependencies: KafkaDependencies): KafkaClient {
  const [problem] = kafkaProblems(settings);
  if (problem !== undefined)
    throw new SluiceError('OPTION_INVALID', `opening Kafka with \`${problem.path.join('.')}\`: ${problem.message}`);
  return new LazyClient(settings.driver, async () => {
    if (settings.driver === 'native') {
      const { NativeClient } = await import('./native/client.ts');
      return new NativeClient({ settings, ...dependencies });
    }
    const { openKafkajsClient } = await import('./kafkajs/client.ts');
    return openKafkajsClient(settings, dependencies);
  });
}
