/** The way out without any guard, for tests on loopback. */
import { once } from 'node:events';
import { connect as open, type Server, type Socket } from 'node:net';
import type { Connect } from '../../../connectors/notify/faults.ts';

export const connect: Connect = async (host, port, signal) => {
  const socket = open({ host, port });
  await once(socket, 'connect', { signal }).catch((error: unknown) => {
    socket.destroy();
    throw error;
  });
  return socket;
};

/** Closes a server with the connections it has. */
export function closeAll(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  for (const socket of sockets) socket.destroy();
  return new Promise((done) => server.close(() => done()));
}
