import { ManualClock } from '../../src/testing/index.ts';
import { EndpointRing } from '../../src/toolkit/index.ts';

test('endpoints take turns', () => {
  const ring = new EndpointRing(['a', 'b', 'c'], new ManualClock());
  expect([1, 2, 3, 4].map(() => ring.next())).toEqual(['a', 'b', 'c', 'a']);
});

test('one that failed rests, twice as long each time, until it answers', async () => {
  const clock = new ManualClock();
  const ring = new EndpointRing(['a', 'b'], clock);
  const turns = (): (string | null)[] => [ring.next(), ring.next(), ring.next()];
  ring.failed('a');
  expect(turns()).toEqual(['b', 'b', 'b']);
  await clock.advance(1000);
  expect(turns()).toContain('a');
  ring.failed('a');
  await clock.advance(1999);
  expect(turns()).not.toContain('a');
  await clock.advance(1);
  expect(turns()).toContain('a');
  for (let times = 0; times < 20; times++) ring.failed('a');
  await clock.advance(59_999);
  expect(turns()).not.toContain('a');
  await clock.advance(1);
  expect(turns()).toContain('a');
  ring.answered('a');
  ring.failed('a');
  await clock.advance(1000);
  expect(turns()).toContain('a');
});

test('when all rest, the one that is through with it first is asked; each once', async () => {
  const clock = new ManualClock();
  const ring = new EndpointRing(['a', 'b'], clock);
  ring.failed('b');
  await clock.advance(100);
  ring.failed('a');
  const tried = new Set<string>();
  const first = ring.next(tried)!;
  tried.add(first);
  const second = ring.next(tried)!;
  tried.add(second);
  expect([first, second, ring.next(tried)]).toEqual(['b', 'a', null]);
});

test('after its rest one request is the trial of an endpoint, and others leave it alone until that is settled', async () => {
  const clock = new ManualClock();
  const ring = new EndpointRing(['a', 'b'], clock);
  ring.failed('a');
  await clock.advance(1000);
  const turns = [1, 2, 3, 4].map(() => ring.next());
  expect(turns.filter((turn) => turn === 'a')).toHaveLength(1);
  ring.answered('a');
  expect([ring.next(), ring.next()].sort()).toEqual(['a', 'b']);
});
