import type { Child } from './child.ts';

/** What runs after `up`: the processes, and where clients find them (the plain data that `--json` prints). */
export interface Instance {
  readonly children: readonly Child[];
  readonly where: Readonly<Record<string, string>>;
}

export interface Service {
  readonly name: string;
  readonly summary: string;
  /** Starts it with its data, logs and settings below `folder` and resolves when it answers. Data that is there already is used again. */
  up(folder: string): Promise<Instance>;
}
