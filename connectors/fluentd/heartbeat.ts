import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { describeError, SluiceError, type ListenAddress, type Logger } from 'sluice/api';
import { formatAddress } from 'sluice/toolkit';

const ANSWER = Buffer.from([0]);

/** Answers each datagram with a zero byte, as fluentd's `heartbeat_type udp` wants it. Rejects with `LISTENER_IN_USE`. */
export function answerHeartbeats(address: ListenAddress, log: Logger): Promise<Socket> {
  const socket = createSocket(isIPv6(address.host) ? 'udp6' : 'udp4');
  socket.on('message', (_bytes, from) => {
    socket.send(ANSWER, from.port, from.address);
  });
  return new Promise((resolve, reject) => {
    const refuse = (error: Error): void => {
      const action = `listening on UDP ${formatAddress(address)} for heartbeats`;
      reject(new SluiceError('LISTENER_IN_USE', action, { retryable: true, cause: error }));
    };
    socket.once('error', refuse);
    socket.bind(address.port, address.host, () => {
      socket.removeListener('error', refuse);
      socket.on('error', (error) => {
        log.warn({ error: describeError(error) }, 'Heartbeat could not be answered');
      });
      resolve(socket);
    });
  });
}
