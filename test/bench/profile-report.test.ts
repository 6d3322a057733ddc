import { allocations, selfTimes } from '../../bench/profile-report.ts';

const frame = (functionName: string, url = ''): Parameters<typeof allocations>[0]['callFrame'] => ({
  functionName,
  url,
  scriptId: '0',
  lineNumber: 9,
  columnNumber: 0,
});
const seal = frame('seal', 'file:///tmp/package/dist/src/record/seal.js');

test('self time counts what is not idle; native functions are told apart by who called', () => {
  const { seconds, shares } = selfTimes({
    nodes: [
      { id: 1, callFrame: frame('(root)'), children: [2, 3] },
      { id: 2, callFrame: frame('(idle)') },
      { id: 3, callFrame: seal, children: [4] },
      { id: 4, callFrame: frame('crc32c') },
    ],
    startTime: 0,
    endTime: 10,
    samples: [2, 3, 4, 4],
    timeDeltas: [7, 1, 1, 2],
  });
  expect(seconds).toBeCloseTo(4e-6);
  expect(shares).toEqual([
    { place: 'native crc32c, called by seal src/record/seal.js:10', share: 0.75 },
    { place: 'seal src/record/seal.js:10', share: 0.25 },
  ]);
});

test('allocations of a function are added up, wherever it was called', () => {
  const leaf = { callFrame: seal, selfSize: 100, children: [] };
  const other = { callFrame: frame('read', 'node:fs'), selfSize: 150, children: [leaf] };
  expect(allocations({ callFrame: frame('(root)'), selfSize: 0, children: [leaf, other] })).toEqual([
    { place: 'seal src/record/seal.js:10', bytes: 200 },
    { place: 'read node:fs:10', bytes: 150 },
  ]);
});
