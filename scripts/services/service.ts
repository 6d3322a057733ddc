import type { Child } from './child.ts';

/** Settings of the server itself, on top of the service's own: broker properties, settings of a node. */
export type Settings = Readonly<Record<string, string | number | boolean>>;

/** What runs after `up`: the processes, and where clients find them (the plain data that `--json` prints). */
export interface Instance<Where = Readonly<Record<string, string>>> {
  /** In the order in which they are to be stopped. */
  readonly children: readonly Child[];
  readonly where: Where;
}

export interface Service<Where = Readonly<Record<string, string>>> {
  readonly summary: string;
  /** Starts it with its data, logs and settings below `folder` and resolves when it answers. Data that is there already is used again. */
  up(folder: string, settings: Settings): Promise<Instance<Where>>;
}
