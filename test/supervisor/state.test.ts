import { PipelineStateHolder, transitions, type StateEvent, type SupervisedState } from '../../src/supervisor/state.ts';

const states = Object.keys(transitions) as SupervisedState[];

test('every state is reached, and stopped is the only end', () => {
  const reached = new Set<SupervisedState>(['starting']);
  // What is added on the way is visited, too.
  for (const state of reached)
    for (const after of Object.values(transitions[state])) if (after !== null) reached.add(after);
  expect([...reached].sort()).toEqual([...states].sort());
  const ends = states.filter((state) => Object.values(transitions[state]).every((after) => after === null));
  expect(ends).toEqual(['stopped']);
});

test('from every state but stopped and failed a stop of the hub comes to an end', () => {
  for (const state of states.filter((one) => one !== 'stopped' && one !== 'failed')) {
    const draining = transitions[state].drain ?? state;
    expect(['stopped', 'draining']).toContain(draining);
    expect(draining === 'stopped' ? 'stopped' : transitions[draining].stopped).toBe('stopped');
    expect(draining === 'stopped' ? 'stopped' : transitions[draining].lost).toBe('stopped');
  }
});

test('reports that were under way when a worker was lost change nothing', () => {
  const changes: unknown[] = [];
  let now = 100;
  const holder = new PipelineStateHolder(
    () => now,
    (...change) => changes.push(change),
  );
  const handle = (event: StateEvent, reason?: string): boolean => holder.handle(event, reason);
  expect(handle('running')).toBe(true);
  now = 200;
  expect(handle('lost', 'the worker crashed')).toBe(true);
  expect([handle('running'), handle('degraded', 'late'), handle('paused', 'late')]).toEqual([false, false, false]);
  expect([holder.state, holder.reason, holder.since]).toEqual(['backing_off', 'the worker crashed', 200]);
  expect(handle('retry')).toBe(true);
  expect(changes).toEqual([
    ['starting', 'running', null],
    ['running', 'backing_off', 'the worker crashed'],
    ['backing_off', 'starting', null],
  ]);
});
