/** The sockets of the broker: plain TCP, and TLS where there is a certificate. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { UnavailableError } from '../../engine/errors.ts';

export type ListenOptions = {
  host: string;
  port: number;
  tls: { port: number; cert: string | Buffer; key: string | Buffer } | null;
};

/** A peer that is gone without a word is noticed after some minutes, whatever keep-alive it had asked for. */
const KEEP_ALIVE_MS = 60_000;
/** Until then a TLS connection has no MQTT client that could run into its own limit. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

export type Listeners = {
  readonly port: number;
  readonly tls_port: number | null;
  /** Takes no further connections, waits for `last`, then ends those that are left. */
  close(last: () => Promise<void>): Promise<void>;
};

/** Listens plainly, and with TLS where asked for. Rejects UnavailableError when a port is taken. */
export async function listenAll(
  { host, port, tls }: ListenOptions,
  handle: (socket: Socket) => void,
): Promise<Listeners> {
  const serve = (socket: Socket) => {
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    handle(socket);
  };
  const servers: Server[] = [createServer(serve)];
  if (tls) {
    const { cert, key } = tls;
    servers.push(createTlsServer({ cert, key, minVersion: 'TLSv1.2', handshakeTimeout: HANDSHAKE_TIMEOUT_MS }, serve));
  }
  const sockets = new Set<Socket>();
  for (const server of servers)
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
  const ports = [port, tls?.port ?? 0];
  try {
    for (const [i, server] of servers.entries())
      await listening(server, host, ports[i]!, i === 0 ? 'LUNA_MQTT_PORT' : 'LUNA_MQTTS_PORT');
  } catch (error) {
    for (const server of servers) server.close();
    throw error;
  }
  return {
    port: portOf(servers[0]!),
    tls_port: servers[1] ? portOf(servers[1]) : null,
    async close(last) {
      const closed = servers.map((server) => new Promise((done) => server.close(done)));
      await last();
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
    },
  };
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

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
