import type { Socket } from 'node:dgram';
import { describeError, type ListenAddress, type Logger } from 'sluice/api';
import { bindUdp } from 'sluice/toolkit';

const ANSWER = Buffer.from([0]);

/** Answers each datagram with a zero byte, as fluentd's `heartbeat_type udp` wants it. Rejects with `LISTENER_IN_USE`. */
export async function answerHeartbeats(address: ListenAddress, log: Logger): Promise<Socket> {
  const socket = await bindUdp(address);
  socket.on('error', (error) => {
    log.warn({ error: describeError(error) }, 'Heartbeat could not be answered');
  });
  socket.on('message', (_bytes, from) => {
    socket.send(ANSWER, from.port, from.address);
  });
  return socket;
}
