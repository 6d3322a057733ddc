import type { Logger } from '../../../src/api/index.ts';
import type { KafkaSettings } from '../../../src/kafka/index.ts';

/** The defaults of the options, and times that suit brokers on this machine. */
export function kafkaSettings(
  options: Pick<KafkaSettings, 'driver' | 'brokers'> & Partial<Pick<KafkaSettings, 'tls' | 'sasl'>>,
): KafkaSettings {
  return {
    tls: false,
    client: {
      id: 'sluice-test',
      connect_timeout: 5000,
      request_timeout: 15_000,
      session_timeout: 8000,
      heartbeat_interval: 500,
      transaction_timeout: 60_000,
      group_protocol: 'classic',
    },
    ...options,
  };
}

export const quietLog: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => quietLog,
};
