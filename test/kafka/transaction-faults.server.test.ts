import type { FaultProxy } from '../../src/testing/index.ts';
import { proxiedKafka, serverSuite, uniqueName, type OwnServer } from '../support/servers.ts';
import { batchOf, Producing } from './support/producing.ts';

const END_TXN = 26;

serverSuite('transactions whose end is not answered', [], () => {
  let server: OwnServer<'kafka'>;
  let proxy: FaultProxy;
  let producing: Producing;

  beforeAll(async () => {
    ({ server, proxy } = await proxiedKafka());
    producing = new Producing(proxy.address);
  }, 120_000);

  afterAll(async () => {
    await producing.close();
    proxy.close();
    await server.down();
  }, 60_000);

  test.each([1, 2] as const)(
    'by protocol %i: nobody knows, the producer is dead, and a new one goes on',
    async (protocol) => {
      const topic = await producing.topic();
      const transactionalId = uniqueName('id');
      const producer = await producing.open({ transactionalId }, { highestProtocol: protocol });
      await producer.send(topic, 0, batchOf(['first']));
      const lost = proxy.loseReply({ request: (bytes) => bytes.length > 6 && bytes.readInt16BE(4) === END_TXN });
      await expect(producer.commitTransaction()).rejects.toMatchObject({
        code: 'KAFKA_TRANSACTION',
        message: expect.stringContaining('the outcome is unknown') as string,
      });
      await lost;
      await expect(producer.send(topic, 0, batchOf(['never']))).rejects.toMatchObject({ code: 'KAFKA_TRANSACTION' });
      await expect(producer.abortTransaction()).rejects.toMatchObject({ code: 'KAFKA_TRANSACTION' });
      const next = await producing.open({ transactionalId }, { highestProtocol: protocol });
      await next.send(topic, 0, batchOf(['second']));
      await next.commitTransaction();
      // The request itself had arrived.
      expect(await producing.read(topic)).toEqual(['first', 'second']);
    },
  );
});
