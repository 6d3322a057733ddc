import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { moments, type Proof, type Result } from '../proof.ts';
import { AcknowledgedSender, type AcknowledgedProtocol } from './acknowledged-sender.ts';
import { SourceRun } from './source-run.ts';

const CLIENTS = 8;

export interface PushKind {
  readonly name: string;
  readonly source: (port: number) => string;
  readonly protocol: AcknowledgedProtocol;
  /** A batch that is sent again is known, even after a kill. */
  readonly isExact: boolean;
  /** Default SIGKILL. */
  readonly signal?: 'SIGTERM';
}

/** Clients send until they are acknowledged while the hub is killed again and again: what was acknowledged is there. */
export async function proveKilledPush(kind: PushKind, proof: Proof): Promise<Result> {
  const { name, source, protocol, isExact, signal } = kind;
  const { folder, lines, random } = proof;
  const perClient = Math.ceil(lines / CLIENTS);
  const expected = perClient * CLIENTS;
  const run = await SourceRun.start({ folder: join(folder, 'hub'), name, listeners: { push: source }, brokers: null });
  try {
    const senders = Array.from({ length: CLIENTS }, () => new AcknowledgedSender(protocol, run.ports.push!));
    let allowed = 0;
    const sent = Promise.all(senders.map((sender, at) => sender.send(at * perClient, perClient, () => allowed)));
    const acknowledged = (): number => senders.reduce((sum, sender) => sum + sender.acknowledged, 0);
    const stops = moments(proof, perClient);
    for (const [index, moment] of stops.entries()) {
      // Never all of them: every kill comes before the end.
      allowed = Math.min(perClient - 1, (stops[index + 1] ?? moment) + 1);
      while (acknowledged() < moment * CLIENTS && run.life.alive) await sleep(1);
      await sleep(random() * 30);
      // Before it listens it does not know the signal.
      if (signal !== undefined) await run.listening();
      await run.killed(signal);
    }
    allowed = perClient;
    await sent;
    await run.holds(expected);
    const counted = await run.count({ expected });
    const repeats = senders.reduce((sum, sender) => sum + sender.repeated, 0);
    const again = isExact ? '' : `, which are ${counted.duplicated} records again`;
    return {
      expected,
      rows: counted.rows,
      lost: counted.lost,
      duplicated: isExact ? counted.duplicated : 0,
      note: `${stops.length} ${signal === undefined ? 'kills' : 'restarts'}; ${repeats} batches sent again by their clients${again}`,
      problems: [
        ...(counted.strange > 0 ? [`${counted.strange} records that nobody sent`] : []),
        ...(repeats === 0 ? ['no kill hurt a client'] : []),
      ],
      unjudged: [],
    };
  } finally {
    await run.end();
  }
}
