import fc from 'fast-check';
import { Watermark, type Outcome } from '../../src/pipeline/watermark.ts';

const records = (offsets: readonly number[]) => ({ count: offsets.length, offset: (index: number) => offsets[index]! });
const range = (from: number, next: number): number[] => Array.from({ length: next - from }, (_, index) => from + index);

describe('Watermark', () => {
  test('an acknowledgement behind an open record moves nothing', () => {
    const watermark = new Watermark({ from: 0 });
    watermark.begin({ from: 0, next: 20, records: records(range(0, 20)), owner: undefined });
    watermark.finish(0, 7, 'delivered');
    watermark.finish(8, 20, 'delivered');
    expect(watermark.committable).toBe(7);
    expect(watermark.even).toBe(false);
    watermark.finish(7, 8, 'dead_lettered');
    expect(watermark.committable).toBe(20);
    expect(watermark.even).toBe(true);
  });

  test('control batches and compacted records are passed, so that lag reaches zero', () => {
    const watermark = new Watermark({ from: 5 });
    watermark.begin({ from: 5, next: 5 + 10, records: records([7, 9, 12]), owner: undefined });
    expect(watermark.settled).toBe(7);
    watermark.finish(7, 8, 'delivered');
    watermark.finish(9, 10, 'delivered');
    expect(watermark.settled).toBe(12);
    watermark.finish(12, 13, 'dropped');
    expect(watermark.settled).toBe(15);
    watermark.begin({ from: 15, next: 18, records: records([]), owner: undefined });
    expect(watermark.settled).toBe(18);
  });

  test('a second acknowledgement and one after the assignment ended are ignored', () => {
    const watermark = new Watermark({ from: 0 });
    watermark.begin({ from: 0, next: 4, records: records(range(0, 4)), owner: undefined });
    expect(watermark.finish(0, 2, 'delivered')).toBe(2);
    expect(watermark.finish(0, 2, 'delivered')).toBe(0);
    expect(watermark.finish(3, 9, 'delivered')).toBe(1);
    watermark.close();
    expect(watermark.finish(2, 3, 'delivered')).toBe(0);
    expect(watermark.committable).toBe(2);
    expect(watermark.tally).toEqual({ read: 4, delivered: 3, deadLettered: 0, dropped: 0, returned: 1 });
    expect(watermark.unfinished).toBe(0);
  });

  test('with a sink that flushes, only what was confirmed may be committed', () => {
    const watermark = new Watermark({ from: 0, needsFlush: true });
    watermark.begin({ from: 0, next: 10, records: records(range(0, 10)), owner: undefined });
    watermark.finish(0, 3, 'dropped');
    expect(watermark.committable).toBe(3);
    watermark.finish(3, 6, 'delivered');
    expect(watermark.committable).toBe(0);
    watermark.confirm(6);
    expect(watermark.committable).toBe(6);
    watermark.finish(6, 8, 'dead_lettered');
    expect(watermark.committable).toBe(8);
    watermark.confirm(99);
    expect(watermark.committable).toBe(8);
  });

  test('offsets that were read before are refused', () => {
    const watermark = new Watermark({ from: 0 });
    watermark.begin({ from: 0, next: 4, records: records(range(0, 4)), owner: undefined });
    expect(() => {
      watermark.begin({ from: 3, next: 5, records: records([3, 4]), owner: undefined });
    }).toThrow('expected them from 4 on');
  });

  test('agrees with a model that keeps a state for every record', () => {
    fc.assert(fc.property(scenario, checkAgainstModel), { numRuns: 400 });
  });

  test('half a million records dropped and delivered by turns cost little', () => {
    const watermark = new Watermark({ from: 0 });
    const count = 500_000;
    watermark.begin({ from: 0, next: count, records: { count, offset: (index) => index }, owner: undefined });
    const started = performance.now();
    for (let offset = 1; offset < count; offset += 2) watermark.finish(offset, offset + 1, 'dropped');
    for (let offset = 0; offset < count; offset += 2000) {
      for (let at = offset; at < offset + 2000; at += 2) watermark.finish(at, at + 1, 'delivered');
    }
    expect(watermark.settled).toBe(count);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

const scenario = fc.record({
  from: fc.nat({ max: 5 }),
  needsFlush: fc.boolean(),
  spans: fc.array(fc.array(fc.boolean(), { maxLength: 12 }), { minLength: 1, maxLength: 6 }),
  steps: fc.array(
    fc.record({
      action: fc.constantFrom('read', 'read', 'finish', 'finish', 'finish', 'finish', 'confirm', 'close'),
      at: fc.nat({ max: 80 }),
      length: fc.integer({ min: 1, max: 6 }),
      outcome: fc.constantFrom<Outcome>('delivered', 'dead_lettered', 'dropped'),
    }),
    { maxLength: 60 },
  ),
});

type Scenario = typeof scenario extends fc.Arbitrary<infer Value> ? Value : never;

// The plainest thing that can be right: one entry for each offset.
function checkAgainstModel({ from, needsFlush, spans, steps }: Scenario): void {
  const released: number[] = [];
  const watermark = new Watermark<number>({ from, needsFlush, onSpanDone: (owner) => released.push(owner) });
  const states = new Map<number, Outcome | 'open' | 'gap'>();
  const spanOf: number[][] = [];
  let readTo = from;
  let confirmed = from;
  let closed = false;
  const settled = (): number => {
    let next = from;
    while (next < readTo && states.get(next) !== 'open') next++;
    return next;
  };
  let settledAtClose = from;
  for (const { action, at, length, outcome } of steps) {
    if (action === 'read' && spanOf.length < spans.length) {
      const kinds = spans[spanOf.length]!;
      const offsets = range(readTo, readTo + kinds.length).filter((_, index) => kinds[index]);
      const next = readTo + kinds.length;
      watermark.begin({ from: readTo, next, records: records(offsets), owner: spanOf.length });
      spanOf.push(offsets);
      if (!closed) {
        for (let offset = readTo; offset < next; offset++)
          states.set(offset, offsets.includes(offset) ? 'open' : 'gap');
        readTo = next;
      }
    } else if (action === 'finish') {
      let expected = 0;
      for (let offset = at; !closed && offset < at + length; offset++) {
        if (states.get(offset) !== 'open') continue;
        states.set(offset, outcome);
        expected++;
      }
      expect(watermark.finish(at, at + length, outcome)).toBe(expected);
    } else if (action === 'confirm') {
      if (!closed) confirmed = Math.max(confirmed, Math.min(at, settled()));
      watermark.confirm(at);
    } else if (action === 'close' && at % 8 === 0 && !closed) {
      settledAtClose = settled();
      closed = true;
      watermark.close();
    }
    const prefix = closed ? settledAtClose : settled();
    expect(watermark.settled).toBe(prefix);
    const delivered = [...states].filter(([, state]) => state === 'delivered').map(([offset]) => offset + 1);
    const deliveredTo = Math.max(from, ...delivered);
    expect(watermark.committable).toBe(needsFlush && deliveredTo > confirmed ? confirmed : prefix);
    expect(watermark.even).toBe(deliveredTo <= prefix);
    const count = (state: string): number => [...states.values()].filter((value) => value === state).length;
    const { tally } = watermark;
    expect([tally.delivered, tally.deadLettered, tally.dropped]).toEqual(
      ['delivered', 'dead_lettered', 'dropped'].map(count),
    );
    expect(watermark.unfinished).toBe(closed ? 0 : count('open'));
    expect(tally.read).toBe(
      tally.delivered + tally.deadLettered + tally.dropped + tally.returned + watermark.unfinished,
    );
    const doneSpans = spanOf.flatMap((offsets, index) =>
      closed || offsets.every((offset) => states.get(offset) !== 'open') ? [index] : [],
    );
    expect([...released].sort((a, b) => a - b)).toEqual(doneSpans);
  }
}
