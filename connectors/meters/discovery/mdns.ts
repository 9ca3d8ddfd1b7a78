/** Devices that announce themselves over multicast DNS (RFC 6762, RFC 6763), through bonjour-service. Only asks. */

import type { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Bonjour } from 'bonjour-service';

export type Announced = { type: string; name: string; host: string; port: number; addresses: readonly string[] };

/** Services of meters and their gateways. */
export const SERVICE_TYPES = ['shelly', 'hwenergy', 'http', 'modbus'] as const;

/** What multicast-dns takes beside its own; tests use a group on loopback. */
export type MdnsTransport = { port?: number; ip?: string; interface?: string; multicast?: boolean; bind?: string };

const MOST_SERVICES = 500;

/**
 * Listens for `listen_ms`. A network without multicast gives nothing, never an error.
 * @returns IPv4 addresses only, each service once.
 */
export async function browseMdns(
  listen_ms: number,
  signal: AbortSignal,
  transport: MdnsTransport = {},
): Promise<Announced[]> {
  const found = new Map<string, Announced>();
  let isBroken = false;
  const broken = () => {
    isBroken = true;
  };
  const bonjour = new Bonjour(transport, broken);
  // A socket that cannot be bound is told nowhere else, and without a listener it would end the process.
  (bonjour as unknown as { server: { mdns: EventEmitter } }).server.mdns.on('error', broken);
  try {
    const browsers = SERVICE_TYPES.map((type) =>
      bonjour.find({ type }, ({ name, host, port, addresses = [], fqdn }) => {
        const ipv4 = addresses.filter((address) => /^\d+(\.\d+){3}$/.test(address));
        if (found.size < MOST_SERVICES) found.set(fqdn, { type, name, host, port, addresses: ipv4 });
      }),
    );
    // The first question may get lost: it is asked again.
    for (let asked = 0; asked < 3 && !isBroken && !signal.aborted; asked++) {
      await sleep(listen_ms / 3, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted && asked < 2) for (const browser of browsers) browser.update();
    }
    for (const browser of browsers) browser.stop();
  } finally {
    bonjour.destroy();
  }
  return [...found.values()];
}
