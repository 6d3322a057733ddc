import { createRequire } from 'node:module';

/** What datagrams over Unix sockets need of the C library: Node has no such sockets. Each returns -1 when it failed; `lastError` says why. */
export interface UnixSystemCalls {
  readonly socket: (domain: number, type: number, protocol: number) => number;
  readonly bind: (descriptor: number, address: Uint8Array, length: number) => number;
  readonly setsockopt: (descriptor: number, level: number, name: number, value: Uint8Array, length: number) => number;
  readonly recv: (descriptor: number, into: Uint8Array, length: number, flags: number) => number;
  readonly poll: (entries: Uint8Array, count: number, timeoutMs: number) => number;
  readonly close: (descriptor: number) => number;
  readonly lastError: () => number;
}

interface Koffi {
  // What a declaration becomes, only its text says.
  load(path: null): { func(declaration: string): never };
  errno(): number;
}

let loaded: UnixSystemCalls | undefined;

/** Throws when the optional package is not installed. */
export function unixSystemCalls(): UnixSystemCalls {
  return (loaded ??= load());
}

function load(): UnixSystemCalls {
  const koffi = createRequire(import.meta.url)('koffi') as Koffi;
  const library = koffi.load(null);
  return {
    socket: library.func('int socket(int, int, int)'),
    bind: library.func('int bind(int, const void *, uint32)'),
    setsockopt: library.func('int setsockopt(int, int, int, const void *, uint32)'),
    recv: library.func('int64 recv(int, void *, size_t, int)'),
    poll: library.func('int poll(void *, ulong, int)'),
    close: library.func('int close(int)'),
    lastError: () => koffi.errno(),
  };
}
