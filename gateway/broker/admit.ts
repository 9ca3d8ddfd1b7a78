/** Who may connect to the broker: decided before aedes sees the connection, so that every refusal has its code and reason. */
import type { Client, ConnectPacket } from 'aedes';
import { writeToStream } from 'mqtt-packet';
import type { Logger } from 'pino';
import { UnavailableError } from '../../engine/errors.ts';
import type { Metrics } from '../metrics.ts';
import type { DeviceService } from '../services.ts';
import type { DeviceRoute, Routes } from './routes.ts';
import { isTopic, MARK } from './topic-rules.ts';

/** CONNACK return codes of MQTT 3.1.1 (3.2.2.3). */
const UNACCEPTABLE_VERSION = 1;
const IDENTIFIER_REJECTED = 2;
const SERVER_UNAVAILABLE = 3;
const BAD_CREDENTIALS = 4;
const NOT_AUTHORISED = 5;
const HANG_UP_MS = 2000;
/** CONNACK reason code of MQTT 5 (3.2.2.2): Unsupported Protocol Version. */
const V5_UNSUPPORTED = 0x84;

export type AdmitDeps = {
  devices: Pick<DeviceService, 'authenticate' | 'report'>;
  routes: Routes;
  metrics: Metrics;
  log: Logger;
};
export type Admitted = { route: DeviceRoute; client_id: string };

/**
 * Checks version, client id, credential and will of a CONNECT. The client id gets tenant and device put before it, so
 * that no device can take over another's session by using its id.
 * @returns who it is, or null after the refusal was written
 */
export async function admit(deps: AdmitDeps, client: Client, packet: ConnectPacket): Promise<Admitted | null> {
  const { devices, routes, log } = deps;
  const refuse = (reason: string, code: number, text: string): null => {
    deps.metrics.mqtt_refused.inc({ reason });
    log.info({ reason, client_id: packet.clientId, username: packet.username }, text);
    const v5 = isVersion5(packet);
    writeToStream(
      v5
        ? { cmd: 'connack', reasonCode: code, returnCode: code, sessionPresent: false }
        : { cmd: 'connack', returnCode: code, sessionPresent: false },
      client.conn,
      v5 ? { protocolVersion: 5 } : undefined,
    );
    hangUp(client);
    return null;
  };
  const who = await identify(devices, packet).catch((error: unknown) => error as Error);
  if (who instanceof Error) return refuse('unavailable', SERVER_UNAVAILABLE, who.message);
  if (isVersion5(packet)) {
    const text = 'It speaks MQTT 5; the box takes MQTT 3.1.1. Set the protocol version 3.1.1 (4) in the device.';
    if (who) devices.report(who.tenant, who.device, { kind: 'failed', text });
    return refuse('version', V5_UNSUPPORTED, text);
  }
  const version = protocolVersion(packet);
  if (version < 3 || version > 4) return refuse('version', UNACCEPTABLE_VERSION, 'An unknown version of MQTT.');
  if (packet.clientId.includes(MARK))
    return refuse('client_id', IDENTIFIER_REJECTED, 'A client id with a null character.');
  if (packet.clientId === '' && !packet.clean)
    return refuse('client_id', IDENTIFIER_REJECTED, 'A durable session needs a client id.');
  if (!who) return refuse('credentials', BAD_CREDENTIALS, 'Unknown user name or wrong password.');
  const route = routes.of(who.tenant, who.device);
  if (!route?.enabled) return refuse('disabled', NOT_AUTHORISED, 'The device is switched off or was removed.');
  dropForeignWill(deps, packet, route);
  const own_id = packet.clientId || crypto.randomUUID();
  return { route, client_id: `${route.tenant}/${route.device}/${own_id}` };
}

/** After a refusal: the client has a moment to read why; one that keeps its side open is cut off. */
function hangUp({ conn }: Client): void {
  conn.end();
  const cut = setTimeout(() => conn.destroy(), HANG_UP_MS);
  conn.once('close', () => clearTimeout(cut));
}

async function identify(devices: AdmitDeps['devices'], packet: ConnectPacket) {
  const { username, password } = packet;
  if (username === undefined || password === undefined) return null;
  try {
    return await devices.authenticate(username, password.toString());
  } catch (error) {
    throw new UnavailableError('Credentials cannot be checked now.', 'Try again.', { cause: error });
  }
}

/** The connection is kept: a device whose will cannot be changed would otherwise be locked out. */
function dropForeignWill({ devices, metrics }: AdmitDeps, packet: ConnectPacket, route: DeviceRoute): void {
  if (!packet.will || (isTopic(packet.will.topic) && route.mayPublish(packet.will.topic))) return;
  metrics.mqtt_refused.inc({ reason: 'topic' });
  const text = `Its last will is for ${packet.will.topic}, which is not its topic; it is ignored.`;
  devices.report(route.tenant, route.device, { kind: 'failed', text });
  delete packet.will;
}

function protocolVersion(packet: ConnectPacket): number {
  return packet.protocolVersion ?? 4;
}

function isVersion5(packet: ConnectPacket): boolean {
  return protocolVersion(packet) === 5;
}
