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

/** aedes keeps the parser with the client; mqtt-packet keeps what it reads in `packet`. Neither types it. */
type Parsing = Client & { _parser: { packet: { length: number } } };

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
}

/** What a stranger sends after its CONNECT is queued: that has a bound too. */
function isStrangers(announced: number, received: number): boolean {
  return announced > STRANGER_MAX_BYTES || received > PACKET_MAX_BYTES;
}
