import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { openStandardInput } from '../../../../connectors/stdin/input.ts';
import { StdinSource } from '../../../../connectors/stdin/source.ts';
import { createSourceHarness } from '../../../../src/testing/index.ts';

/** A hub in small: the source runs in a worker, and its values are printed as they become durable. A line `stop` on the input asks it to end. */
if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url));
  worker.on('message', (text: string) => process.stdout.write(text));
  worker.on('error', (error) => {
    throw error;
  });
} else {
  const harness = createSourceHarness({ create: () => new StdinSource(openStandardInput), rewinds: false });
  let printed = 0;
  const print = (): void => {
    const values = harness.values.slice(printed);
    printed += values.length;
    if (values.length > 0) parentPort!.postMessage(`${values.join('\n')}\n`);
    if (values.includes('stop')) void stop();
  };
  const stop = async (): Promise<void> => {
    await harness.stop();
    parentPort!.postMessage('stopped\n');
  };
  await harness.start();
  const timer = setInterval(print, 10);
  await harness.ended;
  clearInterval(timer);
  print();
  parentPort!.postMessage(`ended: ${harness.status}\n`);
}
