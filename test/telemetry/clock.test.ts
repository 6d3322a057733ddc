import { realClock } from '../../src/telemetry/index.ts';

test('a sleep ends when its signal aborts, with the reason', async () => {
  const controller = new AbortController();
  const reason = new Error('stopping');
  const sleeping = realClock.sleep(60_000, controller.signal);
  controller.abort(reason);
  await expect(sleeping).rejects.toBe(reason);
  await expect(realClock.sleep(60_000, controller.signal)).rejects.toBe(reason);
});

test('a sleep takes its time', async () => {
  const startedAt = realClock.monotonic();
  await realClock.sleep(20, new AbortController().signal);
  expect(realClock.monotonic() - startedAt).toBeGreaterThanOrEqual(19);
});
