import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { loadLibrary } from '../../../src/kafka/kafkajs/library.ts';

// The driver stands on modules that kafkajs does not promise to keep: another version has to be read before it is used.
test('kafkajs is the version whose inside the driver knows', async () => {
  const path = createRequire(import.meta.url).resolve('kafkajs/package.json');
  const { version } = JSON.parse(readFileSync(path, 'utf8')) as { version: string };
  expect(version).toBe('2.2.4');
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: Record<string, string> };
  expect(manifest.dependencies.kafkajs).toBe(version);
  const { requests, apiKeys } = await loadLibrary();
  for (const api of [
    'Produce',
    'Fetch',
    'ListOffsets',
    'Metadata',
    'OffsetCommit',
    'OffsetFetch',
    'GroupCoordinator',
  ]) {
    expect(requests[api]!.versions.length).toBeGreaterThan(0);
    expect(apiKeys[api]).toBeGreaterThanOrEqual(0);
  }
});

test('the fields that the driver replaces are there', async () => {
  const { Connection } = await loadLibrary();
  const nobody = { namespace: () => nobody, error: noop, warn: noop, info: noop, debug: noop };
  const { requestQueue } = new Connection({
    host: '127.0.0.1',
    port: 1,
    clientId: 'test',
    logger: nobody,
    ssl: null,
    sasl: null,
    socketFactory: () => {
      throw new Error('never connected');
    },
    connectionTimeout: 1000,
    requestTimeout: 1000,
    enforceRequestTimeout: true,
  });
  expect(requestQueue).toMatchObject({ pending: [], throttledUntil: -1, throttleCheckTimeoutId: null });
  expect(typeof requestQueue.scheduleCheckPendingRequests).toBe('function');
  expect(typeof requestQueue.checkPendingRequests).toBe('function');
});

function noop(): void {
  // Nobody reads it.
}
