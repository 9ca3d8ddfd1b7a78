import { UnavailableError } from '../../../engine/errors.ts';
import type { Connection as DeviceConnection } from '../../../engine/model/site.ts';
import type { Clock } from '../../../engine/ports.ts';
import type { PolledSource } from '../polled.ts';
import type { Profile } from '../profile/profile.ts';
import type { BusRegistry } from './bus.ts';
import type { BusEndpoint } from './connection.ts';
import { createProfileReader } from './profile-reader.ts';
import { ModbusException } from './request.ts';

export type ModbusConnection = Extract<DeviceConnection, { kind: 'modbus-tcp' | 'modbus-rtu' }>;

/** What a device refused is asked for again, soon at first: it may have been starting up. */
const RELEARN_MS = { first: 5_000, longest: 60 * 60_000 };

export function endpointOf(connection: ModbusConnection): BusEndpoint {
  if (connection.kind === 'modbus-tcp')
    return { kind: 'tcp', host: connection.host, port: connection.port, framing: connection.framing ?? 'tcp' };
  const { path, baud, parity, stop_bits } = connection;
  return { kind: 'serial', path, baud, parity, stop_bits };
}

/** A device on a shared bus; the bus is let go with `close`. */
export function openModbusSource(
  profile: Profile,
  connection: ModbusConnection,
  { buses, clock }: { buses: BusRegistry; clock: Clock },
): PolledSource {
  const { bus, release } = buses.acquire(endpointOf(connection));
  const reader = createProfileReader(profile);
  const name = `${bus.name} unit ${connection.unit}`;
  let relearn: { at_ms: number; pause_ms: number } | null = null;
  let told = '';
  // Whoever opens a source wants to know now; later rounds let a dead device rest.
  let urgent = true;

  /** @returns what is refused, where it was not told already. */
  function learn(refused: readonly string[], asked_again: boolean): string[] {
    if (refused.length > 0) {
      const pause_ms = relearn ? Math.min(2 * relearn.pause_ms, RELEARN_MS.longest) : RELEARN_MS.first;
      relearn = { at_ms: clock.now() + pause_ms, pause_ms };
    } else if (asked_again) relearn = null;
    const text = refused.join(', ');
    if (text === '' || text === told) return [];
    told = text;
    return [`The device does not have ${text}; the rest is read.`];
  }

  return {
    name,
    async read(signal) {
      const asked_again = relearn !== null && clock.now() >= relearn.at_ms;
      if (asked_again) reader.forget();
      const isFirst = urgent;
      urgent = false;
      try {
        const { values, firmware, refused } = await reader.read((code, address, count) =>
          bus.read(connection.unit, code, address, count, { signal, urgent: isFirst }),
        );
        const notes = learn(refused, asked_again);
        const at_ms = clock.now();
        return {
          readings: values.map(({ raw, ...value }) => ({ ...value, at_ms, raw: String(raw) })),
          firmware,
          notes,
        };
      } catch (error) {
        // Whoever answers next may be another device, or this one with another firmware.
        reader.forget();
        relearn = null;
        throw error instanceof ModbusException ? exceptionInWords(error, name) : error;
      }
    },
    close: release,
  };
}

function exceptionInWords(error: ModbusException, name: string): UnavailableError {
  return error.isGateway
    ? new UnavailableError(
        `The gateway answers, but ${name} behind it does not.`,
        'Is it powered, is the unit number right?',
        { cause: error, words: { code: 'behind_gateway', params: { name } } },
      )
    : new UnavailableError(`${name}: ${error.message}`, 'Check the profile and the unit number.', { cause: error });
}
