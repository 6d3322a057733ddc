import type { CliIo } from './io.ts';

/** Waits until the reader has it, so that a long answer does not pile up. False when the reader is gone. */
export function writeOut(io: Pick<CliIo, 'stdout'>, text: string): Promise<boolean> {
  return new Promise((resolve) => {
    io.stdout.write(text, (error) => {
      resolve(error === undefined || error === null);
    });
  });
}
