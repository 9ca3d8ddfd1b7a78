/** What must hold before a device is stored. Each throws InvalidDataError that says what to change. */
import { endpointName, lineSettings } from '../../../connectors/meters/modbus/connection.ts';
import { endpointOf } from '../../../connectors/meters/modbus/source.ts';
import { type Fault, InvalidDataError } from '../../../engine/errors.ts';
import type { Connection, Device, MeterPoint } from '../../../engine/model/site.ts';
import { ID_REMEDY, isId, textFaults } from '../identifier.ts';
import type { NewPoint } from './points.ts';

export function requireValid({ id, name }: { id: string; name: string }, taken: boolean): void {
  const faults: Fault[] = textFaults('name', name, 200);
  if (!isId(id)) faults.push({ where: 'id', problem: `is no id. ${ID_REMEDY}` });
  else if (taken) faults.push({ where: 'id', problem: `${id} is a device already` });
  if (faults.length === 0) return;
  const text = faults.map(({ where, problem }) => `${where} ${problem}`).join('; ');
  throw new InvalidDataError(`The device has faults: ${text}.`, 'Change these fields.', faults);
}

export function requireFreePoints(points: readonly NewPoint[], taken: (id: string) => boolean): void {
  const twice = points.filter(({ id }, i) => taken(id) || points.findIndex((other) => other.id === id) !== i);
  if (twice.length === 0) return;
  const ids = twice.map(({ id }) => id).join(', ');
  const faults = twice.map(({ id }) => ({ where: 'points', problem: `${id} is taken` }));
  throw new InvalidDataError(`There are meter points ${ids} already.`, 'Give other ids in `points`.', faults);
}

/**
 * Two devices under one topic would get each other's readings; an external broker has one space of topics for all
 * tenants. What another tenant has is not told.
 * @param devices of all tenants
 * @param filtersOf the topic filters that bring a device's readings
 */
export function requireFreeTopic(
  devices: readonly Device[],
  device: WithTopic,
  filtersOf: (device: WithTopic) => readonly string[],
): void {
  const topic = topicOf(device);
  if (topic === null) return;
  const filters = new Set(filtersOf(device));
  const own = (other: Device) => other.tenant === device.tenant;
  const clashes = (other: Device) =>
    own(other)
      ? other.id !== device.id && other.profile === device.profile
      : filtersOf(other).some((filter) => filters.has(filter));
  const twins = devices.filter((other) => topicOf(other) === topic && clashes(other));
  const twin = twins.find(own);
  if (twins.length === 0) return;
  throw new InvalidDataError(
    twin ? `The device ${twin.id} has the topic ${topic} already.` : `The topic ${topic} is not free on this box.`,
    'Give each device its own topic.',
  );
}

type WithTopic = Pick<Device, 'tenant' | 'id' | 'profile' | 'connection'>;

function topicOf({ id, profile, connection }: WithTopic): string | null {
  return connection.kind === 'mqtt' && profile !== null ? (connection.topic ?? id) : null;
}

/**
 * All on one line share its one connection, so its settings too. Devices that are switched off do not use it, which is
 * how the settings of a line with several devices are changed. What another tenant has is not told.
 * @param devices of all tenants
 */
export function requireAgreedLine(
  devices: readonly Device[],
  device: Pick<Device, 'tenant' | 'connection'> & { id: string | null },
): void {
  const line = lineOf(device.connection);
  if (line === null) return;
  const isSelf = ({ tenant, id }: Device) => tenant === device.tenant && id === device.id;
  const contrary = devices.filter((other) => {
    const theirs = other.enabled && !isSelf(other) ? lineOf(other.connection) : null;
    return theirs !== null && theirs.name === line.name && theirs.settings !== line.settings;
  });
  const own = contrary.find(({ tenant }) => tenant === device.tenant);
  const one = own ?? contrary[0];
  if (!one) return;
  const who = own ? `by the device ${own.id}` : 'on this box';
  throw new InvalidDataError(
    `The line ${line.name} is used ${who} with ${lineOf(one.connection)?.settings}, not ${line.settings}.`,
    'Give all devices on a line the same settings; to change them, switch the other devices on it off first.',
  );
}

function lineOf(connection: Connection): { name: string; settings: string } | null {
  if (connection.kind !== 'modbus-tcp' && connection.kind !== 'modbus-rtu') return null;
  const endpoint = endpointOf(connection);
  return { name: endpointName(endpoint), settings: lineSettings(endpoint) };
}

export function requireUnused(own: readonly string[], all: readonly MeterPoint[]): void {
  const users = all.filter(({ virtual }) => virtual?.some(({ meter }) => own.includes(meter))).map(({ id }) => id);
  if (users.length === 0) return;
  throw new InvalidDataError(
    `Its meter points are part of the formula of ${users.join(', ')}.`,
    'Change or remove these meter points first.',
  );
}
