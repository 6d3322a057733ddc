import { EventQueue } from '../../../src/kafka/common/event-queue.ts';
import { Holdings } from '../../../src/kafka/native/holdings.ts';

const never = new AbortController().signal;
const at = (partition: number) => ({ topic: 't', partition, incarnation: 'AAAAAAAA' });

function setUp() {
  const queue = new EventQueue();
  const forgotten: number[] = [];
  const fetcher = {
    forget: (partitions: readonly { readonly partition: number }[]) => {
      forgotten.push(...partitions.map(({ partition }) => partition));
    },
  };
  const holdings = new Holdings({ queue, fetcher, signal: never });
  holdings.take([0, 1].map((partition) => ({ ...at(partition), committed: 5 })));
  return { queue, forgotten, holdings };
}

test('what is given up is not read any more at once, and its offsets are saved until whoever reads is done', async () => {
  const { queue, forgotten, holdings } = setUp();
  expect(await queue.next(never)).toMatchObject({ type: 'assigned', partitions: [{ partition: 0 }, { partition: 1 }] });
  let isOver = false;
  const givingUp = holdings.giveUp([at(0)]).then(() => {
    isOver = true;
  });
  expect([holdings.mayRead('t', 0), holdings.mayRead('t', 1)]).toEqual([false, true]);
  expect(forgotten).toEqual([0]);
  const revoked = await queue.next(never);
  expect(revoked).toMatchObject({ type: 'revoked', partitions: [{ partition: 0 }], isLost: false });
  expect([holdings.has('t', 0), isOver]).toEqual([true, false]);
  if (revoked?.type === 'revoked') revoked.done();
  await givingUp;
  expect(holdings.all).toEqual([at(1)]);
});

test('what is lost is gone at once, and comes again only after whoever reads has done with it', async () => {
  const { queue, holdings } = setUp();
  await queue.next(never);
  const losing = holdings.loseAll();
  expect([holdings.has('t', 0), holdings.mayRead('t', 0), holdings.all]).toEqual([false, false, []]);
  const revoked = await queue.next(never);
  expect(revoked).toMatchObject({ type: 'revoked', isLost: true });
  if (revoked?.type === 'revoked') revoked.done();
  await losing;
  holdings.take([{ ...at(0), committed: 5 }]);
  expect([holdings.has('t', 0), holdings.mayRead('t', 0)]).toEqual([true, true]);
});

test('whoever closes does not wait for what nobody will do', async () => {
  const closing = new AbortController();
  const holdings = new Holdings({
    queue: new EventQueue(),
    fetcher: { forget: () => undefined },
    signal: closing.signal,
  });
  holdings.take([{ ...at(0), committed: null }]);
  const givingUp = holdings.giveUp([at(0)]);
  closing.abort(new Error('closed'));
  await expect(givingUp).rejects.toThrow('closed');
});
