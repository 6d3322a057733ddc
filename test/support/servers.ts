import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { OwnServer } from '../../scripts/services/own-server.ts';
import type { Settings } from '../../scripts/services/service.ts';
import { down, up, type Address, type ServiceName } from '../../scripts/services/services.ts';
import { FaultProxy } from '../../src/testing/index.ts';
import { missingForServers, noteSkipped, serverRunFolder } from './server-run.ts';

export { kafkaTool } from '../../scripts/services/kafka-tools.ts';
export type { OwnServer } from '../../scripts/services/own-server.ts';

/** Where the servers of a suite are: `where.kafka.brokers`, `where.elasticsearch.url`. Known in hooks and tests, not while the suite is defined. */
export type Where<Name extends ServiceName> = { readonly [Each in Name]: Address<Each> };

/** These stay up for the whole run of the tests; the others are ended after the suite that asked for them. */
const shared: readonly ServiceName[] = ['kafka', 'elasticsearch'];

/** The first start on a machine downloads from Maven Central. Readiness has a deadline of its own. */
const startDeadlineMs = 600_000;
const testDeadlineMs = 60_000;

/**
 * A suite that needs real servers, in a file named `*.server.test.ts`. Where Java or Maven is missing it is skipped and named at the end
 * of the run; with `CI=true` it fails instead. Suites share the servers: use `uniqueName`, and never stop or pause one (`ownServer` is for that).
 */
export function serverSuite<const Name extends ServiceName>(
  name: string,
  needs: readonly Name[],
  define: (where: Where<Name>) => void,
): void {
  const missing = missingForServers();
  if (missing !== '' && process.env.CI === 'true') {
    test(name, () => {
      throw new Error(`${name} cannot run here, missing: ${missing}`);
    });
    return;
  }
  const addresses = new Map<Name, Address<Name>>();
  const where = lazily(needs, addresses);
  if (missing !== '') {
    noteSkipped(`${name} (missing: ${missing})`);
    describe.skip(name, () => {
      define(where);
    });
    return;
  }
  describe(name, () => {
    jest.setTimeout(testDeadlineMs);
    beforeAll(async () => {
      for (const need of needs) addresses.set(need, (await up(need, serverRunFolder())).where);
    }, startDeadlineMs);
    afterAll(async () => {
      for (const need of needs) if (!shared.includes(need)) await down(need, serverRunFolder());
    }, testDeadlineMs);
    define(where);
  });
}

/** A server that a test may stop, kill, pause and start again. Ended after the run at the latest; `down()` in `afterAll` frees its memory earlier. */
export function ownServer<Name extends ServiceName>(name: Name, settings: Settings = {}): Promise<OwnServer<Name>> {
  return OwnServer.start(name, join(serverRunFolder(), `own-${randomUUID()}`), settings);
}

/** A broker of one's own whose clients all come through a proxy with faults, its own work on transactions too: it advertises the proxy's address. */
export async function proxiedKafka(
  settings: Settings = {},
): Promise<{ server: OwnServer<'kafka'>; proxy: FaultProxy }> {
  // Nothing listens at the target until the broker says where it is.
  const proxy = await FaultProxy.start(1);
  try {
    const server = await ownServer('kafka', { 'advertised.listeners': `PLAINTEXT://${proxy.address}`, ...settings });
    proxy.targetPort = Number(server.where.brokers.split(':')[1]);
    return { server, proxy };
  } catch (error) {
    proxy.close();
    throw error;
  }
}

/** For topics, groups, indexes: `orders-5f3a9c01`. The servers outlive a suite, and what one leaves behind is in nobody's way. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(4).toString('hex')}`;
}

function lazily<Name extends ServiceName>(
  needs: readonly Name[],
  addresses: ReadonlyMap<Name, Address<Name>>,
): Where<Name> {
  const where = {};
  for (const need of needs) {
    Object.defineProperty(where, need, {
      enumerable: true,
      get: () => {
        const address = addresses.get(need);
        if (address === undefined) throw new Error(`where.${need} is known in hooks and tests only`);
        return address;
      },
    });
  }
  return where as Where<Name>;
}
