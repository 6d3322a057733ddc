import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Json } from '../../api/index.ts';
import { FaultProxy, freePorts } from '../../testing/index.ts';
import { isText, KEYS, probeValues } from './probe-text.ts';
import type { SourceTrial } from './sources.ts';
import { Unprovable, type ProbeSource } from './trial.ts';

/** Clients that post each probe until it is acknowledged, one client a key. */
export async function httpSource(
  { plan, setting, base, count, onProxy }: SourceTrial,
  options: Readonly<Record<string, Json>>,
): Promise<ProbeSource> {
  for (const option of ['auth', 'tls'])
    if (options[option] !== undefined) throw new Unprovable(`source ${plan.name}: \`http\` with \`${option}\``);
  const [port] = (await freePorts(1)) as [number];
  const proxy = await FaultProxy.start(port);
  onProxy(proxy);
  const valueOf = probeValues(setting, base);
  const [format, path] = [options.format, options.path ?? '/'] as [string | undefined, string];
  const type = format === 'text' || (format !== 'json' && isText(setting)) ? 'text/plain' : 'application/x-ndjson';
  let [end, isOver] = [0, false];
  const client = async (key: number): Promise<void> => {
    for (let number = key; number < count; number += KEYS) {
      while (number >= end && !isOver) await sleep(5);
      const post = { path, type, id: `${setting.run}-${base + number}`, body: valueOf(number) };
      while (!isOver && !(await posted(proxy.port, post))) await sleep(50);
    }
  };
  const clients = Promise.all(Array.from({ length: KEYS }, (_, key) => client(key)));
  return {
    plan: { ...plan, options: { ...options, listen: `127.0.0.1:${port}` } },
    count,
    isOrdered: plan.key !== null,
    makes: [],
    feed: (to) => {
      end = Math.max(end, to);
      return Promise.resolve();
    },
    settled: async () => {
      await clients;
    },
    close: async () => {
      isOver = true;
      await clients.catch(() => undefined);
      proxy.close();
    },
  };
}

interface Post {
  readonly path: string;
  readonly type: string;
  readonly id: string;
  readonly body: string;
}

/** True when it was acknowledged. A refusal that repeating cannot help is an error. */
function posted(port: number, { path, type, id, body }: Post): Promise<boolean> {
  const headers = { 'content-type': type, 'idempotency-key': id };
  return new Promise((resolve, reject) => {
    const sending = request({ host: '127.0.0.1', port, path, method: 'POST', headers, timeout: 10_000 }, (response) => {
      const status = response.statusCode ?? 0;
      response.resume();
      response.once('close', () => {
        if (status >= 200 && status < 300) resolve(true);
        else if (status === 408 || status === 429 || status >= 500) resolve(false);
        else
          reject(
            new Unprovable(`posting to its http source: HTTP ${status}; give --sample with records that it takes`),
          );
      });
    });
    sending.once('timeout', () => sending.destroy());
    sending.once('error', () => {
      resolve(false);
    });
    sending.end(body);
  });
}
