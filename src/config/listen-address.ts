import type { ListenAddress } from '../api/index.ts';

/** `127.0.0.1:8080`, `[::1]:8080`, `localhost:0`; `:8080` means loopback. Null when it is no such address. */
export function parseListenAddress(text: string): ListenAddress | null {
  const [, bracketed, name, digits] =
    /^(?:\[([0-9A-Fa-f:.%\w]+)\]|([A-Za-z0-9._-]*)):(\d{1,5})$/.exec(text.trim()) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) return null;
  const host = bracketed ?? name ?? '';
  return { host: host === '' ? '127.0.0.1' : host, port };
}

export function formatListenAddress({ host, port }: ListenAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
