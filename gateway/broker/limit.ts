/**
 * Bounds what one connection makes the box keep in memory. MQTT lets a packet announce up to 256 MB, and the parser
 * gathers a packet before anybody can look at it: what is too large is therefore refused by its announced length.
 */
import type { Socket } from 'node:net';
import type { Client } from 'aedes';

/** A stranger sends a CONNECT: user name, password and will. */
export const STRANGER_MAX_BYTES = 64 * 1024;
/** Above what is taken as a message (256 kB), so that a message somewhat too large still gets its reason. */
export const PACKET_MAX_BYTES = 1024 * 1024;

/** Each filter of a packet is checked, stored and answered, all at once. */
export const FILTERS_PER_PACKET = 1000;
/** Connections of strangers at once; room for a thousand devices that come back together. */
const STRANGERS_MAX = 4096;

type Incoming = { subscriptions?: unknown[]; unsubscriptions?: unknown[] };
/** aedes keeps the parser with the client; mqtt-packet keeps what it reads in `packet`. Neither types it. */
type Parsing = Client & { _parser: NodeJS.EventEmitter & { packet: { length: number } } };

/**
 * Watches one connection; call it after aedes took the socket, so that aedes has parsed what came.
 * @param admitted whether the client is known; some time before aedes counts it as connected
 * @param refuse is told the announced length, after the connection was ended
 */
export function limitPackets(
  socket: Socket,
  client: Client,
  { admitted, refuse }: { admitted: () => boolean; refuse: (bytes: number) => void },
): void {
  const parser = (client as Parsing)._parser;
  const look = () => {
    const announced = parser.packet.length;
    const refused = admitted() ? announced > PACKET_MAX_BYTES : isStrangers(announced, socket.bytesRead);
    if (!refused) return;
    socket.off('readable', look);
    socket.destroy();
    refuse(announced);
  };
  socket.on('readable', look);
  // Before aedes sees it: what is left of such a packet does nothing.
  parser.prependListener('packet', ({ subscriptions, unsubscriptions }: Incoming) => {
    for (const filters of [subscriptions, unsubscriptions]) {
      if ((filters?.length ?? 0) <= FILTERS_PER_PACKET) continue;
      filters!.length = 0;
      socket.destroy();
    }
  });
}

/** Bounds how many connections there are of which nobody knows yet whose they are; the oldest give way. */
export function createStrangers(max = STRANGERS_MAX) {
  const strangers = new Set<Socket>();
  return {
    add(socket: Socket): void {
      strangers.add(socket);
      socket.once('close', () => strangers.delete(socket));
      if (strangers.size <= max) return;
      const [oldest] = strangers;
      strangers.delete(oldest!);
      oldest!.destroy();
    },
    known: (socket: Socket) => void strangers.delete(socket),
  };
}

/** What a stranger sends after its CONNECT is queued: that has a bound too. */
function isStrangers(announced: number, received: number): boolean {
  return announced > STRANGER_MAX_BYTES || received > PACKET_MAX_BYTES;
}
