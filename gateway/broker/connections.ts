/** Which clients are connected. A socket that closes is the one sign that a client is gone, whatever it was doing. */
import type { Aedes, Client } from 'aedes';
import type { BrokerOptions } from '../broker.ts';
import type { Session } from './hooks.ts';

/** What aedes 1.2 has, but does not type. */
type Registering = Aedes & {
  clients: Record<string, Client | undefined>;
  registerClient(client: Client): void;
  unregisterClient(client: Client): void;
  deleteClient(id: string): void;
};
export type Connections = {
  /** Whether a client with this id is connected. */
  has(client_id: string): boolean;
  ofDevice(tenant: string, device: string): Client[];
};

/** Keeps count, and tells about it. */
export function watchConnections(
  given: Aedes,
  { metrics, devices, deliveries }: BrokerOptions,
  sessionOf: (client: Client) => Session | undefined,
): Connections {
  const aedes = given as Registering;
  const here = new Set<Session>();
  const ofDevice = (tenant: string, device: string) =>
    [...here].filter(({ route }) => route.tenant === tenant && route.device === device).map(({ client }) => client);
  oneOfEachId(aedes);
  aedes.on('client', (client) => {
    const session = sessionOf(client);
    if (!session) return;
    here.add(session);
    metrics.mqtt_clients.set(here.size);
    const { tenant, device } = session.route;
    devices.report(tenant, device, { kind: 'connected' });
    client.conn.once('close', () => {
      here.delete(session);
      if (aedes.clients[client.id] === client) aedes.deleteClient(client.id);
      metrics.mqtt_clients.set(here.size);
      deliveries.ended(session.sender, tookLeave(client));
      if (ofDevice(tenant, device).length === 0)
        devices.report(tenant, device, { kind: 'lost', text: 'The connection ended.' });
    });
  });
  return { has: (id) => aedes.clients[id] !== undefined, ofDevice };
}

/**
 * A new client with an id ends the old one [MQTT-3.1.4-2]. aedes lets several that come at the same moment live side by
 * side, forgets the wrong one when they leave, and never forgets one that left while it was being registered.
 */
function oneOfEachId(aedes: Registering): void {
  const register = aedes.registerClient.bind(aedes);
  const unregister = aedes.unregisterClient.bind(aedes);
  aedes.registerClient = (client) => {
    if (client.closed || client.conn.destroyed) return;
    const other = aedes.clients[client.id];
    if (!other) return register(client);
    other.close(() => {
      if (aedes.clients[client.id] === other) aedes.deleteClient(client.id);
      aedes.registerClient(client);
    });
  };
  aedes.unregisterClient = (client) => {
    if (aedes.clients[client.id] === client) unregister(client);
  };
}

/** Whether the client sent DISCONNECT: aedes keeps it (its will depends on it), but does not type it. */
function tookLeave(client: Client & { _disconnected?: boolean }): boolean {
  return client._disconnected === true;
}
