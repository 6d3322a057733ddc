import { Waiting } from '../../../src/kafka/common/waiting.ts';
import { ManualClock } from '../../../src/testing/index.ts';

const setUp = () => {
  const clock = new ManualClock();
  const said: (string | null)[] = [];
  const waiting = new Waiting(clock, (reason) => said.push(reason));
  return { clock, said, waiting };
};

test('nothing is said of the first second, then the reason of whoever waits longest, once', async () => {
  const { clock, said, waiting } = setUp();
  const [first, second] = [waiting.begin(), waiting.begin()];
  first.because('broker 1 is away');
  await clock.advance(500);
  second.because('broker 2 is away');
  expect(waiting.reason).toBeNull();
  await clock.advance(600);
  second.because('broker 2 is away');
  first.because('broker 1 is away');
  expect(waiting.reason).toBe('broker 1 is away');
  first.end();
  await clock.advance(500);
  second.because('broker 2 is away');
  expect(waiting.reason).toBe('broker 2 is away');
  second.end();
  expect(said).toEqual(['broker 1 is away', null, 'broker 2 is away', null]);
});

test('a call that hangs does not keep others from saying what is wrong by now', async () => {
  const { clock, waiting } = setUp();
  const [hanging, trying] = [waiting.begin(), waiting.begin()];
  hanging.because('the connection was closed');
  for (let second = 0; second < 7; second++) {
    trying.because('the broker refuses connections');
    await clock.advance(1000);
  }
  expect(waiting.reason).toBe('the broker refuses connections');
  trying.end();
  expect(waiting.reason).toBe('the connection was closed');
});
