import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the range from which kernels give ports to outgoing connections: while a server is down, nobody else can be given its port, and a
 * client that tries again and again cannot end up connected to itself.
 */
const lowest = 15_000;
const highest = 32_767;

/** Ports of 127.0.0.1 on which nothing listens. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = randomInt(lowest, highest + 1);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, '127.0.0.1', () =>
      server.close(() => {
        resolve(true);
      }),
    );
  });
}
