import { runFolder } from '../scripts/services/folders.ts';
import { down, running, up, type Address, type ServiceName } from '../scripts/services/services.ts';

/** The servers of `npm run services`: those that run already are used, others are started and ended again. */
export class BenchServers {
  readonly #started: ServiceName[] = [];

  async address<Name extends ServiceName>(name: Name): Promise<Address<Name>> {
    const current = await running(name, runFolder());
    if (current !== null) return current.where;
    this.#started.push(name);
    return (await up(name, runFolder())).where;
  }

  async end(): Promise<void> {
    for (const name of this.#started) await down(name, runFolder());
  }
}
