/** The sockets of the broker: plain TCP, and TLS where there is a certificate. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { UnavailableError } from '../../engine/errors.ts';

export type ListenOptions = {
  host: string;
  port: number;
  tls: { port: number; cert: string | Buffer; key: string | Buffer } | null;
};

/** @returns the plain server and, where asked for, the one with TLS. Rejects UnavailableError when a port is taken. */
export async function listenAll(
  { host, port, tls }: ListenOptions,
  handle: (socket: Socket) => void,
): Promise<Server[]> {
  const serve = (socket: Socket) => {
    socket.setNoDelay(true);
    handle(socket);
  };
  const servers: Server[] = [createServer(serve)];
  if (tls) servers.push(createTlsServer({ cert: tls.cert, key: tls.key, minVersion: 'TLSv1.2' }, serve));
  const ports = [port, tls?.port ?? 0];
  try {
    for (const [i, server] of servers.entries())
      await listening(server, host, ports[i]!, i === 0 ? 'LUNA_MQTT_PORT' : 'LUNA_MQTTS_PORT');
  } catch (error) {
    for (const server of servers) server.close();
    throw error;
  }
  return servers;
}

function listening(server: Server, host: string, port: number, variable: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'another program uses it' : cause.message;
      const text = `The MQTT broker cannot listen on port ${port}: ${why}.`;
      reject(new UnavailableError(text, `Set ${variable} to a free port.`, { cause }));
    });
    server.listen({ host, port, backlog: 1024 }, resolve);
  });
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
