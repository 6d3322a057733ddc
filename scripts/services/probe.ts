import { connect } from 'node:net';

/** A question that only a server answers which is ready. All on 127.0.0.1. */
export type Probe =
  | { readonly kafka: number }
  | { readonly zookeeper: number }
  | { readonly http: string; readonly authorization: string };

const patienceMs = 2000;

export function answers(probe: Probe): Promise<boolean> {
  if ('kafka' in probe) return answersBytes(probe.kafka, apiVersionsRequest, () => true);
  if ('zookeeper' in probe) return answersBytes(probe.zookeeper, Buffer.from('ruok'), (text) => text === 'imok');
  return answersHttp(probe.http, probe.authorization);
}

/** ApiVersions v0, which every broker answers: size, API 18, version 0, correlation id, null client id. */
const apiVersionsRequest = Buffer.from('0000000a0012000000000001ffff', 'hex');

function answersBytes(port: number, request: Buffer, accepts: (answer: string) => boolean): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    const settle = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(patienceMs, () => {
      settle(false);
    });
    socket.once('data', (data: Buffer) => {
      settle(accepts(data.toString('latin1')));
    });
    socket.once('error', () => {
      settle(false);
    });
    socket.once('close', () => {
      settle(false);
    });
  });
}

async function answersHttp(url: string, authorization: string): Promise<boolean> {
  try {
    const headers: Record<string, string> = authorization === '' ? {} : { authorization };
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(patienceMs) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
