import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OwnServer } from '../../services/own-server.ts';
import type { Settings } from '../../services/service.ts';
import { down, known, up, type Address, type ServiceName } from '../../services/services.ts';

/** The real servers of a proof: started when a part first asks for them, ended by their own pids. */
export class Servers {
  #folder: Promise<string> | null = null;
  readonly #parts = new Set<string>();

  /** One that the parts share. */
  async shared<Name extends ServiceName>(name: Name): Promise<Address<Name>> {
    return (await up(name, await this.#runFolder())).where;
  }

  /** Where the shared broker keeps its segments. */
  async kafkaData(): Promise<string> {
    return join(await this.#runFolder(), 'kafka', 'broker-1', 'data');
  }

  /** One that a part may hurt. */
  async own<Name extends ServiceName>(name: Name, part: string, settings: Settings = {}): Promise<OwnServer<Name>> {
    this.#parts.add(part);
    return OwnServer.start(name, join(await this.#runFolder(), part), settings);
  }

  async end(): Promise<void> {
    if (this.#folder === null) return;
    const folder = await this.#folder;
    for (const place of [folder, ...[...this.#parts].map((part) => join(folder, part))])
      for (const name of await known(place)) await down(name, place);
    await rm(folder, { recursive: true, force: true });
  }

  #runFolder(): Promise<string> {
    return (this.#folder ??= mkdtemp(join(tmpdir(), 'sluice-prove-servers-')));
  }
}
