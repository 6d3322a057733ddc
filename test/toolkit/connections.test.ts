import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { ManualClock } from '../../src/testing/index.ts';
import { ConnectionTable, type Connection } from '../../src/toolkit/connections.ts';

/** A double, since all addresses of this machine are loopback's. */
class FakeSocket extends EventEmitter {
  isDestroyed = false;
  readonly remoteAddress: string;
  readonly remotePort: number;

  constructor(remoteAddress: string, remotePort: number) {
    super();
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
  }

  destroy(): void {
    this.isDestroyed = true;
    this.emit('close');
  }
}

let ports = 1;
const clock = new ManualClock();

function table(maxConnections: number, maxConnectionsPerAddress: number): ConnectionTable {
  return new ConnectionTable({ maxConnections, maxConnectionsPerAddress }, clock);
}

async function admit(
  to: ConnectionTable,
  address: string,
): Promise<{ socket: FakeSocket; connection: Connection | null }> {
  await clock.advance(10);
  const socket = new FakeSocket(address, ports++);
  return { socket, connection: to.admit(socket as unknown as Socket) };
}

test('one address cannot take the places of others', async () => {
  const connections = table(100, 2);
  const other = await admit(connections, '10.0.0.9');
  const ours = [await admit(connections, '10.0.0.1'), await admit(connections, '10.0.0.1')];
  ours.push(await admit(connections, '10.0.0.1'));
  expect(ours.map(({ socket }) => socket.isDestroyed)).toEqual([true, false, false]);
  expect(other.socket.isDestroyed).toBe(false);
  expect(connections.size).toBe(3);
});

test('loopback stands for many clients and is not counted', async () => {
  const connections = table(100, 2);
  for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) {
    for (let count = 0; count < 5; count++) expect((await admit(connections, address)).connection).not.toBeNull();
  }
  expect(connections.size).toBe(15);
});

test('an address all of whose connections wait for us gets no more', async () => {
  const connections = table(100, 2);
  for (let count = 0; count < 2; count++) (await admit(connections, '10.0.0.1')).connection!.begun = 1;
  const refused = await admit(connections, '10.0.0.1');
  expect([refused.connection, refused.socket.isDestroyed, connections.size]).toEqual([null, true, 2]);
  expect((await admit(connections, '10.0.0.2')).connection).not.toBeNull();
});

test('the one that kept us waiting longest goes, those that were never served first', async () => {
  const connections = table(4, 100);
  const served = await admit(connections, '10.0.0.1');
  served.connection!.served = 1;
  const slow = await admit(connections, '10.0.0.2');
  slow.connection!.begun = 1;
  slow.connection!.receiving = { lastByteAtMs: clock.monotonic() };
  const silent = await admit(connections, '10.0.0.3');
  const owed = await admit(connections, '10.0.0.4');
  owed.connection!.begun = 1;
  const isGone = (): boolean[] => [served, slow, silent, owed].map(({ socket }) => socket.isDestroyed);
  for (const expected of [
    [false, true, false, false],
    [false, true, true, false],
  ]) {
    (await admit(connections, '10.0.0.5')).connection!.begun = 1;
    expect(isGone()).toEqual(expected);
  }
  await admit(connections, '10.0.0.6');
  expect(isGone()).toEqual([true, true, true, false]);
});

test('places come back when connections close', async () => {
  const connections = table(1, 1);
  const first = await admit(connections, '10.0.0.1');
  first.connection!.begun = 1;
  const empty = connections.whenEmpty();
  first.socket.destroy();
  await empty;
  expect((await admit(connections, '10.0.0.1')).connection).not.toBeNull();
});
