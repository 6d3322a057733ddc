import { decideStart, type Standing } from '../../../src/log/kafka/start-rules.ts';

const STATE = { topicId: 'one', partitions: 3, next: 50, reset: 0, cuts: 0 };

function standing(changes: Partial<Standing>): Standing {
  return {
    topic: 'orders',
    partition: 0,
    topicId: 'one',
    partitions: 3,
    committed: null,
    state: null,
    isKnown: (changes.state ?? null) !== null,
    isCut: false,
    earliest: 10,
    latest: 100,
    start: 10,
    ...changes,
  };
}

const recreated = { ...STATE, topicId: 'before' };

test.each([
  ['a new sink starts where it asks to', { start: 77 }, { next: 77, why: 'new' }],
  ['without a state the offset of the group counts', { committed: 60 }, { next: 60, why: 'goes on' }],
  ['the offset of the group counts', { committed: 60, state: STATE }, { next: 60, why: 'goes on' }],
  ['the state counts when the offset is gone', { state: STATE, start: 77 }, { next: 50, why: 'offset was gone' }],
  [
    'an offset below the state was set by an operator',
    { committed: 20, state: { ...STATE, reset: 2 } },
    { next: 20, reset: 3, why: 'set back' },
  ],
  [
    'a partition that a sink did not know is read from its begin, wherever new sinks start',
    { isKnown: true, start: 77 },
    { next: 10, why: 'new partition' },
  ],
  [
    'a recreated topic is read from its begin, whatever is saved',
    { committed: 60, state: { ...recreated, reset: 4, cuts: 1 } },
    { topicId: 'one', next: 10, reset: 4, cuts: 0, why: 'recreated' },
  ],
  [
    'a log that ends below the state is read anew, under other ids',
    { committed: 50, state: STATE, latest: 40 },
    { next: 10, cuts: 1, why: 'cut off' },
  ],
  [
    'a log that ends below the offset is read anew, under other ids',
    { committed: 101, state: STATE },
    { next: 10, cuts: 1, why: 'cut off' },
  ],
  [
    'so is one of which the reader found that it ends too early',
    { committed: 60, state: { ...STATE, cuts: 1 }, isCut: true },
    { next: 10, cuts: 2, why: 'cut off' },
  ],
  ['a saved offset may be the end', { committed: 100, state: STATE }, { next: 100, why: 'goes on' }],
  ['the number of partitions is taken over', { committed: 60, state: STATE, partitions: 8 }, { partitions: 8 }],
] as const)('%s', (_, changes, expected) => {
  const { state, why } = decideStart(standing(changes), false);
  expect({ ...state, why }).toMatchObject(expected);
});

test.each([
  ['the topic was recreated', { committed: 60, state: recreated }, /deleted and created again/],
  ['the log ends too early', { committed: 60, state: STATE, latest: 40 }, /ends before what was read/],
  ['there are more partitions', { committed: 60, state: STATE, partitions: 8 }, /had 3 partitions and has 8/],
  ['a partition is new to the sink', { isKnown: true }, /more partitions/],
] as const)('a sink whose versions are offsets stops when %s, and says what the choices are', (_, changes, message) => {
  const decide = (): unknown => decideStart(standing(changes), true);
  expect(decide).toThrow(expect.objectContaining({ code: 'TOPIC_CHANGED', retryable: false }) as Error);
  expect(decide).toThrow(message);
  expect(decide).toThrow(/new index.*timestamp or a field.*accept/);
});

test.each([
  ['new', {}],
  ['as it was', { committed: 60, state: STATE }],
  ['set back', { committed: 20, state: STATE }],
  ['without its offset', { state: STATE }],
] as const)('a sink whose versions are offsets goes on when it is %s', (_, changes) => {
  expect(() => decideStart(standing(changes), true)).not.toThrow();
});
